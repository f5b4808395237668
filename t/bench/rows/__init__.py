"""The rows of the table, by what they need: see ../README."""
