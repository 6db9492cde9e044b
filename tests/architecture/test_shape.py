"""Files and functions stay short, begin with what they own, and are named for a thing."""

from tests.architecture.shape import (
    FILE_LINES_MAX,
    FUNCTION_LINES_MAX,
    empty_names,
    too_long,
    unexplained,
)
from tests.architecture.source import PACKAGES, Module, modules


def test_files_and_functions_can_be_read_in_one_go() -> None:
    found = [line for module in modules(*PACKAGES) for line in too_long(module)]
    assert not found, "\n".join(found)


def test_every_module_begins_with_what_it_owns() -> None:
    found = [line for module in modules(*PACKAGES) for line in unexplained(module)]
    assert not found, "\n".join(found)


def test_classes_and_modules_are_named_for_a_thing() -> None:
    found = [line for module in modules(*PACKAGES) for line in empty_names(module)]
    assert not found, "\n".join(found)


def test_a_long_file_and_a_long_function_are_noticed() -> None:
    fits = "def f():\n" + "    x = 1\n" * (FUNCTION_LINES_MAX - 1)
    assert not too_long(Module("m", is_package=False, text=fits))
    assert too_long(Module("m", is_package=False, text=fits + "    x = 1\n"))
    assert not too_long(Module("m", is_package=False, text="x = 1\n" * FILE_LINES_MAX))
    assert too_long(Module("m", is_package=False, text="x = 1\n" * (FILE_LINES_MAX + 1)))


def test_a_silent_module_and_an_empty_name_are_noticed() -> None:
    assert unexplained(Module("m", is_package=False, text="x = 1\n"))
    assert empty_names(Module("m", is_package=False, text="class EventProcessor: ...\n"))
    assert empty_names(Module("services.value.utils", is_package=False, text=""))
    assert not empty_names(Module("m", is_package=False, text="class Model(BaseModel): ...\n"))
