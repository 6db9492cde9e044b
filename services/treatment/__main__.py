"""`python -m services.treatment worker|api`: the lane, or the internal pages."""

from services.runtime.command import main

if __name__ == "__main__":
    main("treatment")
