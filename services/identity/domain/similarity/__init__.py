"""How alike two people's values are: comparable forms, agreement levels, phonetic codes.

Owns what a value says and how it resembles another one; what a resemblance weighs is not decided here. Pure.
"""
