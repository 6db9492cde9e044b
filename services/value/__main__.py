"""`python -m services.value worker|api`: the lane, or the internal pages."""

from services.runtime.command import main

if __name__ == "__main__":
    main("value")
