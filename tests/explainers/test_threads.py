"""Peace: eight threads explain while another takes gradients, and every answer is the serial one, byte for byte."""

import threading

import numpy as np
import tensorflow as tf

from explainers.game import Question, players_of
from explainers.methods import METHODS
from models.backgrounds import Background, equal_weights
from models.folder import TRAINED, read_folder
from models.network import Network


def test_eight_threads_and_a_gradient_tape() -> None:
    """Both shipped models, both methods, several players, a background of the request's own."""
    work = []
    rng = np.random.default_rng(0)
    for name in ("titanic", "fashion-mnist"):
        folder = read_folder(TRAINED / name)
        network = Network.load(folder)
        x = ((folder.background.x[:3] + folder.background.x[3:6]) / 2).astype(np.float32)
        own = Background(rng.normal(size=(5, *x.shape[1:])).astype(np.float32), equal_weights(5))
        for method in METHODS.values():
            explainer = method.build(network, folder.background)
            for background in (folder.background, own):
                for players in ("fields", "columns") if name == "titanic" else ("pixels", "patches"):
                    outputs = network.predict(x).argmax(axis=1)[:, None]
                    answers = network.predict(x).astype(np.float64), network.predict(background.x).astype(np.float64)
                    question = Question(x, outputs, players_of(folder.manifest, players, 4), background, *answers)
                    work.append((explainer, question, network))

    def answer(item: int) -> bytes:
        explainer, question, network = work[item]
        return explainer.attribute(question).values.tobytes() + network.predict(question.x).tobytes()

    serial = [answer(item) for item in range(len(work))]
    wrong: list[int] = []
    gradients: list[float] = []
    done = threading.Event()

    def explain(first: int) -> None:
        wrong.extend(item for k in range(len(work)) if answer(item := (first + k) % len(work)) != serial[item])

    def differentiate() -> None:
        while not done.is_set():
            x = tf.constant([[0.5, -1.0, 2.0]])
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = tf.reduce_sum(tf.nn.relu(x) ** 2 + tf.nn.softmax(x)[:, 0])
            gradients.append(float(tape.gradient(y, x).numpy()[0, 2]))

    threads = [threading.Thread(target=explain, args=(first,)) for first in range(8)]
    tape_thread = threading.Thread(target=differentiate)
    for thread in [tape_thread, *threads]:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    tape_thread.join()
    assert wrong == []
    assert len(gradients) > 10
    assert len(set(gradients)) == 1
