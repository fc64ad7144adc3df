"""Questions of chapter 13, the project: beliefs and the report, which are kept and not judged."""

from random import Random

from pgtlab.lab.question import Question, Words


def first_belief(draw: Random) -> Question:
    return Question(
        text="What do you believe is wrong, before you have looked any further? And which observation would make you give that up?",
        answer=Words(),
        truth="Nobody can say yet. It is kept here, so that you can see at the end how far your first guess was from it.",
    )


def report(draw: Random) -> Question:
    return Question(
        text="Write your report here, or in a file of your own: symptom, evidence, a rival, a prediction, the fix, what remains unknown.",
        answer=Words(rows=16),
        truth="It is kept. Read it once more tomorrow, as somebody who does not believe you.",
    )
