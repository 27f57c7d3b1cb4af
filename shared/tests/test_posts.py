"""Articles become plain text: nothing of Markdown is left, figures are numbered and copied, and what is too long is refused."""

import pytest
from click.testing import CliRunner

from carefolio.chapters import Chapter, read_chapters, repository_root
from carefolio.cli import main
from carefolio.command import DISCLAIMER
from carefolio.exceptions import ConfigError
from carefolio.posts import HEADLINE_LIMIT, POST_LIMIT, make_post, write_posts

ARTICLE = """# A title

*What it is about.*

**In short.** The area is <!--ev a.b.c ci.2f-->0.69 (95 % CI 0.67
to 0.70)<!--/ev-->, see [the paper](https://example.org/p) and [the code](src/code.py).

## Step 1: look
- one `thing`
- another

1. first

```python
if True:
    print("x")
```

| a | b |
|---|---|
| 1 | 2 |

![A curve that rises](reports/figures/curve.png)
"""


def chapter(home):
    return Chapter("01-some", "some", "some", "", "", home)


def test_an_article_becomes_plain_text():
    post = make_post(ARTICLE, address="https://example.org/repository")
    assert post.title == "A title"
    assert "In short. The area is 0.69 (95 % CI 0.67 to 0.70), see the paper (https://example.org/p) and the code." in post.long
    assert "- one thing\n\n- another\n\n1. first" in post.long
    assert '    if True:\n        print("x")' in post.long
    assert "a | b\n\n1 | 2" in post.long
    assert "[Figure 1: A curve that rises]" in post.long
    assert post.long.endswith(f"{DISCLAIMER}\n\nhttps://example.org/repository\n")
    assert not any(mark in post.long for mark in ("<!--", "**", "```", "](", "# "))


def test_the_short_post_has_the_summary_and_what_the_parts_are_called():
    short = make_post(ARTICLE).short
    assert short.startswith("A title\n\nWhat it is about.\n\nIn short. The area")
    assert short.endswith(f"In it:\n- Step 1: look\n\n{DISCLAIMER}\n")
    assert "thing" not in short


def test_figures_are_copied_with_what_they_show_and_old_ones_go(tmp_path):
    home, out = tmp_path / "home", tmp_path / "out"
    (home / "reports" / "figures").mkdir(parents=True)
    (home / "reports" / "figures" / "curve.png").write_bytes(b"picture")
    (home / "article.md").write_text(ARTICLE, encoding="utf-8")
    (out / "01-some").mkdir(parents=True)
    (out / "01-some" / "figure-7-gone.png").touch()
    write_posts([chapter(home), chapter(tmp_path), chapter(None)], out)
    assert {path.name for path in (out / "01-some").iterdir()} == {"post.txt", "article.txt", "figures.txt", "figure-1-curve.png"}
    assert (out / "01-some" / "figure-1-curve.png").read_bytes() == b"picture"
    assert (out / "01-some" / "figures.txt").read_text() == "figure-1-curve.png: A curve that rises\n"


@pytest.mark.parametrize(("article", "reason"), [
    (ARTICLE, "names reports/figures/curve.png, which is not there"), (f"# {'x' * (HEADLINE_LIMIT + 1)}\n", "headline has 101 characters"),
    ("no title\n", "headline has 0 characters"), (f"# A\n\n{'x' * POST_LIMIT}\n", "its post has 3,"),
    (f"# A\n\nb\n\nc\n\n{'x' * 50_000}", "its article")])
def test_what_cannot_be_posted_is_said(tmp_path, article, reason):
    (tmp_path / "article.md").write_text(article, encoding="utf-8")
    with pytest.raises(ConfigError, match=reason):
        write_posts([chapter(tmp_path)], tmp_path / "out")


def test_every_article_of_the_repository_can_be_posted(tmp_path):
    done = CliRunner().invoke(main, ["posts", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    articles = [one for one in read_chapters(repository_root()) if one.home and (one.home / "article.md").is_file()]
    assert len(done.output.splitlines()) == len(articles) > 0
    for one in articles:
        text = (tmp_path / one.folder / "article.txt").read_text(encoding="utf-8")
        assert not any(mark in text for mark in ("<!--", "](", "```", "<img"))
