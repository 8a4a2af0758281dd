"""Draw a picture, or bring one, and see what the model sees in it."""

import base64
import io
import math
import re

import httpx
from PIL import Image
from playwright.sync_api import JSHandle, Locator, Page, Request, expect

from benchmarks.process import Server
from tests.browser.reading import says, settled, verdict


def instances(request: Request) -> list[dict[str, str]]:
    """What a request asks about."""
    body = request.post_data_json
    assert body
    found: list[dict[str, str]] = body["instances"]
    return found


def sent(request: Request) -> Image.Image:
    """The picture of a request."""
    (instance,) = instances(request)
    return Image.open(io.BytesIO(base64.b64decode(instance["b64"])))


def shade(image: Image.Image, x: int, y: int) -> int:
    """Of a pixel as the model sees it, 0 to 255."""
    return image.convert("L").tobytes()[y * image.width + x]


def predicted(server: Server, request: Request) -> dict[str, float]:
    """What the service says of the picture of a request, which it takes as it is."""
    body = {"model": "fashion-mnist", "instances": instances(request)}
    answer = httpx.post(f"{server.url}/predict", json=body, timeout=60).raise_for_status().json()
    assert answer["warnings"] == []
    return dict(zip(answer["output_names"], answer["predictions"][0], strict=True))


def bars(page: Page) -> dict[str, str]:
    """The numbers beside the bars, by class."""
    lines = (item.inner_text().split("\n") for item in page.get_by_test_id("class-bars").get_by_role("listitem").all())
    return {line[0]: line[-1] for line in lines}


def stroke(page: Page, *points: tuple[float, float]) -> None:
    """Draw with the mouse from point to point; a point is a share of the canvas' width and height."""
    box = page.get_by_test_id("draw-canvas").bounding_box()
    assert box
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


def cleared(page: Page) -> None:
    """An empty canvas, explained."""
    with page.expect_response("**/explain"):
        page.get_by_role("button", name="Clear").click()
    settled(page)


def test_a_stroke_is_sent_predicted_and_explained(pictures: Page, server: Server) -> None:
    """The service gets the very pixels of the canvas, 28 by 28; the bars and the overlay are what it says of them."""
    page = pictures
    cleared(page)
    empty = bars(page)
    overlay = page.get_by_test_id("overlay").locator("image").last
    nothing = overlay.get_attribute("href")
    requests: list[Request] = []
    page.on("request", lambda request: requests.append(request) if request.url.endswith("/explain") else None)
    with page.expect_response("**/explain"):
        stroke(page, (0.3, 0.2), (0.7, 0.2), (0.7, 0.8), (0.3, 0.8), (0.3, 0.2))
    settled(page)
    image = sent(requests[-1])
    assert (image.format, image.size) == ("PNG", (28, 28))
    drawn = [shade(image, x, y) for x, y in ((14, 5), (19, 14), (14, 22), (8, 14), (14, 14), (1, 1))]
    assert [each > 127 for each in drawn] == [True, True, True, True, False, False], drawn
    truth = predicted(server, requests[-1])
    expect(page.get_by_test_id("prediction")).to_have_text(verdict(truth))
    shown = bars(page)
    assert shown != empty
    assert shown.keys() == truth.keys()
    assert all(says(shown[name], 100 * truth[name]) or shown[name].startswith(("<", ">")) for name in truth), (shown, truth)
    assert overlay.get_attribute("href") != nothing
    expect(page.get_by_test_id("overlay").get_by_role("img")).to_have_attribute("aria-label", said_of(truth))
    expect(page.get_by_test_id("proof")).to_contain_text("adds up")


def said_of(truth: dict[str, float]) -> re.Pattern[str]:
    """The overlay in words: of the likeliest class, with pixels of both signs."""
    best = max(truth, key=lambda name: truth[name])
    return re.compile(rf"for {re.escape(best)} \([1-9]\d* pixels\) and against it \([1-9]\d* pixels\)")


def test_erasing_changes_what_is_predicted_and_undo_takes_it_back(pictures: Page) -> None:
    """The bars move, and the ghost of the bars before stays."""
    page = pictures
    words = page.get_by_test_id("prediction")
    before, whole = bars(page), words.inner_text()
    page.get_by_role("button", name="Erase").click()
    with page.expect_response("**/explain"):
        stroke(page, *((0.5 + 0.4 * (-1) ** row, row / 16) for row in range(2, 15)))
    settled(page)
    assert bars(page) != before
    expect(words).not_to_have_text(whole)
    ghosts = page.get_by_test_id("class-bars").get_by_test_id("ghost")
    assert ghosts.count() == 10
    page.get_by_role("button", name="Undo").click()
    expect(words).to_have_text(whole)
    assert bars(page) == before


def test_the_keyboard_draws_too(pictures: Page) -> None:
    """Space marks a pixel where the arrows have gone."""
    page = pictures
    cleared(page)
    page.get_by_test_id("draw-canvas").focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    with page.expect_request("**/predict") as request:
        page.keyboard.press("Space")
    image = sent(request.value)
    assert shade(image, 10, 14) == 255
    assert shade(image, 20, 14) == 0


def test_a_sample_is_opened(pictures: Page) -> None:
    """A trouser of the gallery is a trouser."""
    page = pictures
    page.get_by_role("button", name="Trouser 1", exact=True).click()
    expect(page.get_by_test_id("prediction")).to_contain_text("Trouser")


def portrait() -> bytes:
    """Red on the left, white on the right, twice as high as wide."""
    image = Image.new("RGB", (200, 400), (255, 0, 0))
    image.paste((255, 255, 255), (100, 0, 200, 400))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def expect_fitted(request: Request) -> None:
    """The portrait in grey, in the middle, its aspect kept, with black at its sides."""
    image = sent(request)
    assert image.size == (28, 28)
    assert math.isclose(shade(image, 10, 14), 0.299 * 255, abs_tol=2)  # red as grey
    assert [shade(image, x, 14) for x in (17, 3, 24)] == [255, 0, 0]


def test_a_file_is_picked(pictures: Page) -> None:
    page = pictures
    with page.expect_request("**/predict") as request:
        page.get_by_label("Picture file").set_input_files({"name": "portrait.png", "mimeType": "image/png", "buffer": portrait()})
    expect_fitted(request.value)
    settled(page)


def carried(page: Page, content: bytes, kind: str) -> JSHandle:
    """A file under way, as a drop or the clipboard has it."""
    return page.evaluate_handle(
        """([bytes, kind]) => {
            const carried = new DataTransfer()
            carried.items.add(new File([new Uint8Array(bytes)], 'portrait', {type: kind}))
            return carried
        }""",
        [list(content), kind],
    )


def whole(page: Page) -> Locator:
    return page.get_by_role("group", name="Picture and explanation")


def test_a_file_is_dropped(pictures: Page) -> None:
    page = pictures
    with page.expect_request("**/predict") as request:
        whole(page).dispatch_event("drop", {"dataTransfer": carried(page, portrait(), "image/png")})
    expect_fitted(request.value)
    settled(page)


def test_a_file_is_pasted(pictures: Page) -> None:
    page = pictures
    with page.expect_request("**/predict") as request:
        carried(page, portrait(), "image/png").evaluate(
            "data => document.body.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true}))"
        )
    expect_fitted(request.value)
    settled(page)


def test_a_file_that_is_no_picture_is_said_to_be_none(pictures: Page) -> None:
    """What was there stays."""
    page = pictures
    before = bars(page)
    page.get_by_label("Picture file").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": b"no picture"})
    expect(page.get_by_role("alert")).to_contain_text("cannot read this file")
    assert bars(page) == before


def test_another_class_and_all_classes_are_explained(pictures: Page) -> None:
    """A click on a bar asks why not; the small multiples show every class."""
    page = pictures
    page.get_by_role("button", name=re.compile("^Shirt .*explain$")).click()
    expect(page.get_by_role("heading", name="Why Shirt?")).to_be_visible()
    settled(page)
    page.get_by_text("All classes").click()
    maps = page.get_by_test_id("small-multiples").get_by_role("listitem")
    expect(maps).to_have_count(10)
    settled(page)
    for drawn in maps.all():
        expect(drawn.locator("image")).to_have_count(2)


def test_the_sign_and_the_opacity_change_the_overlay(pictures: Page) -> None:
    """Only what speaks for the class is drawn otherwise than both."""
    page = pictures
    overlay = page.get_by_test_id("overlay").locator("image").last
    both = overlay.get_attribute("href")
    assert both
    page.get_by_role("radiogroup", name="Sign").get_by_text("for").click()
    expect(overlay).not_to_have_attribute("href", both)
    page.get_by_label("Opacity").fill("0.5")
    expect(overlay).to_have_attribute("opacity", "0.5")
