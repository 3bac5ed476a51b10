import phonenumbers
from PIL import Image

from geosleuth.ui.demo_scene import TELEPHONE, draw_scene, main


def test_the_scene_is_the_same_on_every_call():
    assert draw_scene().tobytes() == draw_scene().tobytes()


def test_writes_a_photo_of_the_usual_size_and_says_that_it_is_synthetic(tmp_path, capsys):
    path = tmp_path / "new folder" / "scene.jpg"
    main([str(path)])
    with Image.open(path) as scene:
        assert scene.size == (1280, 853)
    said = capsys.readouterr()
    assert "synthetic" in said.err
    assert said.out == ""


def test_the_telephone_number_is_french_and_reserved_for_fiction():
    number = phonenumbers.parse(TELEPHONE.removeprefix("Tel. "), "FR")
    assert phonenumbers.is_valid_number(number)
    assert str(number.national_number).startswith("26191")
