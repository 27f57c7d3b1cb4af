import pytest

from carefolio import markdown


@pytest.mark.parametrize("text", [
    "AUROC 0.69", "about 20 %", "about 20%", "n = 71,518", "n = 101766 rows", "| a | b |\n|---|---|\n| x | 0.5 |\n", "- item 12.5",
    "> quoted 0.25", "value .684 here", "![curve at 0.7](a.png)", "<p>0.7 here</p>", "from 0.95",
    "an **emphasised 1.5**", "[see 3.5](x.md)",
])
def test_a_number_that_reads_as_a_result_counts(text):
    assert len(markdown.unmarked_numbers(text)) == 1


@pytest.mark.parametrize("text", [
    "# Heading 0.69", "`0.69` in code", "```\n0.69\n```", "<!-- 0.69 -->", "30-day, 9 chapters, 1 in 5", "in 2024 and 1999-2008",
    "on 2026-11-23", "[a](https://x.org/0.69/1,000)", "![a](fig-0.69.png)", "https://x.org/1.5", "version 1.2", "release 0.1.0", "v0.2",
    "Python 3.11-3.13", "Apache-2.0", "CC BY 4.0", "45 CFR 170.315(b)(11)", "§ 170.315", "a 95 % CI", "a 95 %\nconfidence interval",
    "ICD-9", "<!--ev a.b.c.d .3f-->0.684<!--/ev--> here", "x <!--cite k-->0.67<!--/cite-->", '<img src="a-0.5.png" width="50.5%">',
    "<p>so <!--ev a.b.c.d .3f-->0.684<!--/ev--></p>", "doi:10.24432/C5230J", "    0.69 in an indented block", "GPT-4.1",
])
def test_a_number_that_is_no_result_does_not_count(text):
    assert markdown.unmarked_numbers(text) == []


def test_numbers_come_with_their_line_and_order():
    text = "# Title\n\nfirst line\nsecond 0.5 and 12 %\n\n| a | b |\n|---|---|\n| c | 1,234 |\n\n<p>\nso 0.75\n</p>\n"
    assert markdown.unmarked_numbers(text) == [(4, "0.5"), (4, "12 %"), (8, "1,234"), (11, "0.75")]


def test_several_markers_on_a_line_leave_the_number_between_them():
    text = "a <!--ev a.b.c.d .3f-->0.684<!--/ev--> against 0.5 and <!--cite k-->0.67<!--/cite-->"
    assert markdown.unmarked_numbers(text) == [(1, "0.5")]


def test_links_images_and_html_addresses_are_listed():
    text = 'see [a](b.md#c)\nand ![d](e.png)\n\n<p align="center"><img src="f.png"></p>\n\ntext <a href="g.md">g</a>, `[no](h.md)`\n'
    assert markdown.links(text) == [(1, "b.md#c"), (2, "e.png"), (4, "f.png"), (6, "g.md")]


def test_anchors_follow_the_headings():
    text = '# Data & method\n\n## The `run` verb: first, last\n\n## Limits\n\n## Limits\n\n<a id="here"></a>\n'
    assert markdown.anchors(text) == {"data--method", "the-run-verb-first-last", "limits", "limits-1", "here"}


def test_shell_lines_skip_output_and_comments_and_join_continuations():
    text = "```sh\n# set up\nmake demo\ndemo run \\\n  --quick\n```\n\n```console\n$ demo data\n12 rows\n```\n\n```python\nmake()\n```\n"
    assert markdown.shell_lines(text) == [(3, "make demo"), (4, "demo run --quick"), (9, "demo data")]


def test_a_console_without_prompts_holds_commands_alone():
    assert markdown.shell_lines("```console\nmake demo    # runs\nmake test\n```\n") == [(2, "make demo    # runs"), (3, "make test")]


def test_code_is_blanked_without_moving_anything():
    text = "a `b` c\n\n```\n<!--ev x y-->\n```\n"
    blank = markdown.without_code(text)
    assert len(blank) == len(text)
    assert blank.count("\n") == text.count("\n")
    assert "ev" not in blank
    assert blank.startswith("a     c")


def test_a_marker_that_opens_a_line_is_found():
    text = "good <!--ev a b-->1<!--/ev-->\n<!--ev a b-->1<!--/ev--> bad\n\n| <!--ev a b-->1<!--/ev--> |\n|---|\n"
    assert markdown.lines_taken_as_html(text) == [2]
