"""`python -m services.identity worker|api`: the lane, or the internal pages."""

from services.runtime.command import main

if __name__ == "__main__":
    main("identity")
