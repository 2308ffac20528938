"""`python -m tests.verdicts`; what a pool's processes import stands in a module of its own."""

from tests.verdicts.tables import main

if __name__ == "__main__":
    main()
