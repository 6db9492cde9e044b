"""`python -m services.interaction worker|api`: the lane, or the internal pages."""

from services.runtime.command import main

if __name__ == "__main__":
    main("interaction")
