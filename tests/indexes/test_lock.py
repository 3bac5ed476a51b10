import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.lock import locked


def test_a_folder_is_held_by_one_at_a_time(tmp_path):
    with (
        locked(tmp_path, "a folder", "another"),
        pytest.raises(InputError, match="Wanted a folder; found another"),
        locked(tmp_path, "a folder", "another"),
    ):
        pass
    with locked(tmp_path, "a folder", "another"):
        pass


def test_an_error_lets_go_of_it(tmp_path):
    with pytest.raises(ValueError, match="of the work"), locked(tmp_path, "a folder", "another"):
        raise ValueError("of the work")
    with locked(tmp_path, "a folder", "another"):
        pass
