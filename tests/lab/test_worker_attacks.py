"""What an answer does that speaks to the judge itself: it is refused or bounded, and the judge goes on."""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

import psutil
import pytest
from lab.test_worker import PATIENT, SHORT, calling, function, sentence

from pgtlab.lab import attempt
from pgtlab.lab.attempt import AnswerError
from pgtlab.lab.worker import process, wire
from pgtlab.lab.worker.answers import Answers
from pgtlab.lab.worker.contained import contained
from pgtlab.lab.worker.exposed import Exposed
from pgtlab.lab.worker.process import Limits
from pgtlab.linux.kernel.printk import LONGEST, Log

pytestmark = pytest.mark.long  # each attack has a process of its own

TO_THE_JUDGE = "import sys; judge = sys._getframe(1).f_locals['self']\n  "
UNREAD = TO_THE_JUDGE + "while True: judge.send('ask', 'repr', 0)"


def test_an_answer_that_reads_no_reply_is_stopped():
    """The judge waits for room in the pipe, and the answer for a reader."""
    assert sentence(UNREAD, SHORT).startswith("`answer()` did not return within 0.6 seconds")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("{'set': [{'int': hex(i * (2**61 - 1))} for i in range(50_000)]}", "set of 50000 entries"),
        ("{'dict': [[i << 60, 0] for i in range(5000)]}", "dict of 5000 entries"),
        ("{'float': '0x1p99999'}", "unknown"),
        ("{'object': -1}", "unknown"),
    ],
)
def test_what_would_keep_the_judge_busy_is_not_decoded(value, told):
    assert told in repr(calling(TO_THE_JUDGE + f"judge.send('result', {value})"))


def test_an_answer_of_more_than_a_million_items_is_refused():
    assert "list of " in repr(calling("return [0] * 2_000_000"))
    with pytest.raises(wire.WireError):
        wire.from_json(b"[" + b"0," * wire.ITEMS + b"0,0]")


def test_an_array_of_texts_takes_no_more_room_than_the_texts():
    returned = calling("import numpy as np; return np.array(['a' * 2_000_000] + ['b'] * 500, dtype=object)")
    assert returned.dtype == object
    assert calling("import numpy as np; return np.arange(6).reshape(2, 3)").sum() == 15


@pytest.mark.parametrize(
    "forged",
    ["{'answer': 5}", "{'answer': {'value': 5}}", "{}", "{'answer': {'function': 0}, 'more': {'function': 0}}"],
)
def test_a_forged_list_of_functions_is_not_a_result(forged):
    """Above all one without the function: in its place the judge must not run the learner's own."""
    text = f"class Odd:\n  def __reduce__(self): return eval, ({TO_LOAD.format(forged)!r},)\n"
    odd = attempt.define(text, "<odd>")["Odd"]()
    answer = function("return odd")
    answer.__globals__["odd"] = odd
    with (
        contained({"answer": answer}) as functions,
        pytest.raises(AnswerError, match="something that is not a result"),
    ):
        functions["answer"]()


TO_LOAD = "[f.f_locals['judge'] for f in [__import__('sys')._getframe(2)]][0].send('loaded', {})"


def test_odd_numbers_of_parameters_and_lines_are_left_out():
    with Answers({"answer": function("return 1")}) as answers:
        stands = answers._function("answer", {"function": 0, "parameters": [["x", 99, 0]], "line": 10**30})
    assert callable(stands)


def test_a_forged_list_of_functions_is_no_reply_to_a_call():
    assert "not a result" in sentence(TO_THE_JUDGE + "judge.send('loaded', {})")


def test_the_judge_counts_what_is_printed_itself(capsys):
    calling(TO_THE_JUDGE + "[judge.send('print', 'x' * 1000) for _ in range(200)]")
    assert len(capsys.readouterr().out) == wire.PRINTED


def test_what_cannot_be_printed_is_replaced():
    told = sentence("raise type('A\\nB', (Exception,), {})('\\ud800')")
    assert told.endswith(": A: ?")


def test_refused_requests_are_not_kept():
    kept = Exposed()
    for _ in range(1000):
        *_, number = kept.raised(ValueError("x"))
    assert isinstance(kept.error(number), ValueError)
    assert kept.error(0) is None


def test_ctrl_c_reaches_a_judge_that_waits_for_room_in_the_pipe():
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the shell of the tests does
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        calling(UNREAD)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="without signals")
def test_an_answer_ends_when_the_judge_is_killed():
    """Also one that goes on whatever happens to the pipe."""
    body = TO_THE_JUDGE + (
        "import os; judge.send('print', str(os.getpid()) + chr(10))\n  while True:\n"
        "    try: judge.send('ask', 'repr', 0)\n    except BaseException: pass"
    )
    code = (
        "from pgtlab.lab.attempt import define\nfrom pgtlab.lab.worker.contained import contained\n"
        f"answer = define({'def answer():' + chr(10) + '  ' + body!r}, '<answer>')['answer']\n"
        "with contained({'answer': answer}) as functions: functions['answer']()"
    )
    judge = subprocess.Popen([sys.executable, "-u", "-c", code], stdout=subprocess.PIPE, text=True)
    assert judge.stdout is not None
    learners = psutil.Process(int(judge.stdout.readline()))
    time.sleep(0.7)
    judge.terminate()
    judge.communicate()
    with suppress(psutil.NoSuchProcess):
        learners.wait(10)
    assert not learners.is_running() or learners.status() == psutil.STATUS_ZOMBIE


def test_what_the_judge_does_for_an_answer_counts(monkeypatch):
    monkeypatch.setattr(process, "FOR_THE_JUDGE", 0.2)
    body = "while True: args[0]()"
    with (
        contained({"answer": function(body)}, Limits(seconds=10, waiting=0.5)) as functions,
        pytest.raises(AnswerError, match="kept the judge busy for"),
    ):
        functions["answer"](lambda: time.sleep(0.3))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="without fork")
def test_a_process_that_keeps_the_pipe_open_keeps_nobody_waiting():
    fork = TO_THE_JUDGE + (
        "import os, time\n  if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        "      time.sleep(3); judge.send('result', 5)\n    os._exit(0)\n  os._exit(3)"
    )
    assert sentence(fork) == "`answer()` ended the process that it ran in, with exit status 3."


@pytest.mark.skipif(not hasattr(os, "fork"), reason="without fork")
def test_processes_that_have_ended_count():
    short = "import os\n  while True:\n    if os.fork() == 0: sum(range(10**6)); os._exit(0)\n    os.wait()"
    assert "was still busy" in sentence(short, PATIENT)


def test_a_line_of_the_log_has_a_longest_length():
    """As in the kernel's own buffer; else a patch fills the judge's memory."""
    log = Log()
    log.printk("x" * 1_000_000)
    assert log.lines[0].count("x") == LONGEST


def test_all_messages_together_have_a_largest_size():
    """Each of them costs the judge's time, and the answer hardly any."""
    told = sentence("text = 'x' * 10_000_000\n  for _ in range(50): args[0](text)", args=(lambda text: None,))
    assert told.startswith("`answer()` sent the judge more than 64 MiB")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="without forks")
def test_a_copy_of_the_learners_process_has_no_judge():
    """Two processes at one pipe would take each other's replies."""
    body = TO_THE_JUDGE + (
        "import os\n  copy = os.fork()\n"
        "  if copy: return os.waitpid(copy, 0)[1]\n"
        "  try: judge.ask('repr', 0)\n  except EOFError: os._exit(3)\n  os._exit(4)"
    )
    assert calling(body) >> 8 == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="pipes cannot be waited for")
def test_a_process_that_has_answered_says_nothing_until_it_is_asked_again():
    """Nobody reads where an answer is that has ended, and the pipe would be full some time."""
    with contained({"answer": function("return 1")}, Limits(seconds=0.4, waiting=20)) as functions:
        assert functions["answer"]() == 1
        pipe = functions["answer"].answers._process._popen.stdout
        assert select.select([pipe], [], [], 0.5)[0] == []
        assert functions["answer"]() == 1


def test_a_process_ends_with_the_block_that_it_was_started_for():
    """Also where something keeps the functions."""
    with contained({"answer": function("return 1")}) as functions:
        assert functions["answer"]() == 1
        process = functions["answer"].answers._process
        assert process.alive
    assert not process.alive
    assert callable(functions["answer"])
