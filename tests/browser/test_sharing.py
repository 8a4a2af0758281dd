"""Take what is on the page elsewhere: a link, a command, a file."""

import csv
import io
import json
import re
import shutil
import subprocess
import sys
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from benchmarks.process import Server
from tests.browser.conftest import Open
from tests.browser.reading import MAN, chart, expect_explained, explained, settled, verdict

GIRL = MAN | {"Sex": "female", "Age": 9}


def copied(page: Page, button: str) -> str:
    """What the button puts on the clipboard."""
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_role("region", name="Share and download").get_by_role("status")).to_contain_text("copied")
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def become_a_girl(page: Page) -> None:
    page.get_by_role("radiogroup", name="Sex").get_by_text("female").click()
    page.get_by_label("Age", exact=True).fill("9")
    settled(page)


def test_a_link_opens_the_same_state(page: Page, open_page: Open, server: Server) -> None:
    """Values, view, output and options travel in the fragment, which no server sees; the address bar has it too."""
    become_a_girl(page)
    page.get_by_role("radiogroup", name="Explain").get_by_text("died").click()
    page.get_by_text("Options", exact=True).click()
    page.get_by_role("combobox", name="Method").select_option("deep")
    page.get_by_role("tab", name="Decision", exact=True).click()
    link = copied(page, "Copy link")
    expect(page).to_have_url(link)
    other = open_page(link)
    expect(other.get_by_test_id("prediction")).to_have_text(verdict(explained(server, GIRL).prediction))
    settled(other)
    expect(other.get_by_role("tab", name="Decision", exact=True)).to_have_attribute("aria-selected", "true")
    assert chart(other).locator("text").all_text_contents() == chart(page).locator("text").all_text_contents()
    other.get_by_role("tab", name="Waterfall", exact=True).click()
    expect_explained(other, explained(server, GIRL, method="deep"), GIRL, "died")
    expect(other.get_by_label("Age", exact=True)).to_have_value("9")


def test_a_link_to_a_picture_opens_the_same_picture(pictures: Page, open_page: Open) -> None:
    """Bar by bar."""
    pictures.get_by_role("button", name="Bag 1", exact=True).click()
    expect(pictures.get_by_test_id("prediction")).to_contain_text("Bag")
    settled(pictures)
    other = open_page(copied(pictures, "Copy link"))
    expect(other.get_by_test_id("prediction")).to_have_text(pictures.get_by_test_id("prediction").inner_text())
    settled(other)
    bars = [each.get_by_test_id("class-bars").all_inner_texts() for each in (pictures, other)]
    assert bars[0] == bars[1]


def test_a_new_fragment_in_the_same_tab_is_opened(page: Page, server: Server) -> None:
    link = f"model=titanic&row={json.dumps(GIRL)}"
    page.evaluate("fragment => { location.hash = fragment }", link)
    expect_explained(page, explained(server, GIRL), GIRL)


@pytest.mark.parametrize(
    ("fragment", "said"),
    [
        ("#nonsense", "damaged"),
        ("#model=titanic&row={%22Age%22:", "damaged"),
        ("#model=titanic&row=[1,2]&options=5&plot=Pie", "damaged"),
        ("#model=nobody", "not here"),
        ("#model=titanic&row={%22Colour%22:1}", "Colour"),
        ("#%E0%A4%A&&&==", "damaged"),
        ("#model=titanic&options={%22method%22:%22magic%22}", "method"),
    ],
)
def test_a_bad_link_is_tolerated_and_said_to_be_bad(open_page: Open, server: Server, fragment: str, said: str) -> None:
    """What can be read of it is shown, the rest as usual."""
    page = open_page("/" + fragment)
    expect(page.get_by_test_id("error-banner").first).to_contain_text(said)
    expect(page.get_by_test_id("prediction")).to_contain_text("%")
    settled(page)


def test_a_link_with_a_bad_picture_is_tolerated(open_page: Open) -> None:
    page = open_page("/#model=fashion-mnist&image=aGVsbG8")
    expect(page.get_by_text("The picture of the link cannot be read.")).to_be_visible()
    expect(page.get_by_test_id("prediction")).to_contain_text("%")


def answered(printed: str) -> dict[str, Any]:
    (explanation,) = json.loads(printed)["explanations"]
    return dict(zip(explanation["outputs"], explanation["prediction"], strict=True))


def test_the_copied_curl_command_runs(page: Page, server: Server) -> None:
    """In a shell, as it stands; its prediction is the page's."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    become_a_girl(page)
    command = copied(page, "Copy as curl")
    printed = subprocess.run(command, shell=True, capture_output=True, text=True, check=True, timeout=60).stdout
    assert answered(printed) == explained(server, GIRL).prediction
    expect(page.get_by_test_id("prediction")).to_have_text(verdict(answered(printed)))


def test_the_copied_python_runs(page: Page, server: Server) -> None:
    """With None where the page has null."""
    page.get_by_label("Age missing", exact=True).check()
    settled(page)
    program = copied(page, "Copy as Python")
    assert "None" in program
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60).stdout
    truth = explained(server, MAN | {"Age": None})
    assert str(truth.prediction["died"]) in printed


def test_the_request_and_the_answer_are_copied(page: Page, server: Server) -> None:
    assert json.loads(copied(page, "Copy as JSON"))["instances"] == [MAN]
    assert answered(copied(page, "Copy the answer")) == explained(server, MAN).prediction


def test_a_comparison_is_copied_as_such(page: Page) -> None:
    page.get_by_role("tab", name="Compare", exact=True).click()
    settled(page)
    assert "/compare" in copied(page, "Copy as curl")
    assert json.loads(copied(page, "Copy as JSON"))["methods"] == ["exact", "permutation", "deep"]


def downloaded(page: Page, button: str) -> bytes:
    """The file that the button gives."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button, exact=True).click()
    return download.value.path().read_bytes()


@pytest.mark.parametrize("view", ["Waterfall", "Force", "Decision", "Bars", "Interactions", "Compare"])
def test_every_view_is_drawn_told_and_downloaded(page: Page, view: str) -> None:
    """Each names every field, has words for those who do not see it, and is an SVG that needs nothing else."""
    page.get_by_role("tab", name=view, exact=True).click()
    picture = chart(page).get_by_role("img")
    expect(picture).to_be_visible()
    settled(page)
    for name in MAN:
        expect(picture).to_contain_text(name)
    spoken = picture.get_attribute("aria-label")
    assert spoken
    assert spoken.startswith(view)
    assert "Sex = male takes away" in spoken
    text = downloaded(page, "Download SVG").decode()
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert all(name in " ".join(root.itertext()) for name in MAN), text
    assert not re.search(r"class=|var\(|url\(|href", text)


def test_the_chart_is_downloaded_as_png(page: Page) -> None:
    """Something is on it, on a white ground, also when the page is dark."""
    page.emulate_media(color_scheme="dark")
    image = Image.open(io.BytesIO(downloaded(page, "Download PNG"))).convert("RGB")
    assert image.format is None
    assert image.width > 800
    red, green, blue = np.moveaxis(np.asarray(image, int), -1, 0)
    assert (red[2, 2], green[2, 2], blue[2, 2]) == (255, 255, 255)
    assert np.sum((red > 200) & (green < 80) & (blue < 150)) > 500
    assert np.sum((blue > 200) & (red < 80)) > 500


def test_the_overlay_is_downloaded(pictures: Page) -> None:
    """As an SVG with the pictures in it, and as a PNG."""
    root = ElementTree.fromstring(downloaded(pictures, "Download SVG").decode())
    images = root.findall(".//{http://www.w3.org/2000/svg}image")
    assert [image.attrib["href"][:22] for image in images] == ["data:image/png;base64,"] * 2
    assert Image.open(io.BytesIO(downloaded(pictures, "Download PNG"))).width > 200


def test_the_numbers_are_downloaded_and_add_up(page: Page, server: Server) -> None:
    """Base value + Shapley values = prediction, for every output of the CSV."""
    rows = list(csv.DictReader(io.StringIO(downloaded(page, "Download CSV").decode())))
    truth = explained(server, MAN)
    assert {row["player"]: row["data"] for row in rows} == {name: str(value) for name, value in MAN.items()}
    for output, prediction in truth.prediction.items():
        mine = [row for row in rows if row["output"] == output]
        assert [float(row["shap_value"]) for row in mine] == list(truth.values[output].values())
        assert sum(float(row["shap_value"]) for row in mine) + float(mine[0]["base_value"]) == pytest.approx(prediction, abs=1e-6)
        assert {float(row["prediction"]) for row in mine} == {prediction}


def test_shap_draws_what_is_shown(page: Page) -> None:
    """The picture of the service's own drawing process."""
    root = ElementTree.fromstring(downloaded(page, "Drawn by shap").decode())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    page.get_by_label("Format of the picture drawn by shap").select_option("PNG")
    assert Image.open(io.BytesIO(downloaded(page, "Drawn by shap"))).format == "PNG"
