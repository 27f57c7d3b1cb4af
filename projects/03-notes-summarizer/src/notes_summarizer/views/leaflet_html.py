"""A leaflet as HTML: every sentence with the page it stands on, and what it was made from."""

from itertools import groupby
from urllib.parse import urlsplit

from notes_summarizer.leaflet.write import CitedPassage, Leaflet, LeafletSentence, Refusal
from notes_summarizer.views.marked_note import escape

REFUSALS: dict[Refusal, str] = {"emergency": "This may be an emergency", "personal": "This needs a person who knows the case",
                                "not found": "No page answers this", "no sentences": "The pages have only a list of medical terms",
                                "too hard": "The pages are too hard to read"}
"""Why there is no leaflet, in words."""


def leaflet_html(leaflet: Leaflet) -> str:
    """Write a leaflet.

    Parameters
    ----------
    leaflet : Leaflet
        Not a refusal.

    Returns
    -------
    str
        One element.
    """
    titles = {passage.number: f"{passage.title} ({passage.source})" for passage in leaflet.passages}
    sections = [f"<h4>{escape(section)}</h4>{''.join(_sentence(sentence, titles) for sentence in sentences)}"
                for section, sentences in groupby(leaflet.sentences, key=lambda sentence: sentence.section)]
    return (f'<div class="notes-leaflet"><h3>{escape(leaflet.title)}</h3>{"".join(sections)}'
            f'<p class="notes-advice">{escape(leaflet.advice)}</p></div>')


def _sentence(sentence: LeafletSentence, titles: dict[int, str]) -> str:
    first, *items = sentence.text.split("\n- ")
    listed = f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>" if items else ""
    badges = "".join(f' <a class="notes-badge" href="#passage-{number}" title="{escape(titles[number])}">{number}</a>'
                     for number in sentence.citations)
    return (f'<div class="notes-cited"><span class="notes-text" tabindex="0">{escape(first)}</span>{badges}{listed}'
            f'<span class="notes-card" role="note">{_origin(sentence)}</span></div>')


def _origin(sentence: LeafletSentence) -> str:
    who = {"": "As it stands on the page.", "rules": "Put in plainer words by rules."}
    writer = who.get(sentence.reworded_by, f"Reworded by {escape(sentence.reworded_by)}.")
    lines = [f"<b>On the page</b> {escape(sentence.original)}", writer]
    if sentence.findings:
        lines.append(f"Another wording was not taken, because of its {escape(', '.join(sentence.findings))}.")
    return "".join(f"<span>{line}</span>" for line in lines)


def passages_html(leaflet: Leaflet) -> str:
    """Write the passages that a leaflet cites.

    Parameters
    ----------
    leaflet : Leaflet
        Not a refusal.

    Returns
    -------
    str
        One element; each passage opens with a click and has the anchor ``passage-<number>``.
    """
    return f'<div class="notes-passages">{"".join(_passage(passage) for passage in leaflet.passages)}</div>'


def _passage(passage: CitedPassage) -> str:
    link = (f'<a href="{escape(passage.url)}" target="_blank" rel="noopener noreferrer">{escape(passage.url)}</a>'
            if urlsplit(passage.url).scheme in ("http", "https") else escape(passage.url))
    return (f'<details id="passage-{passage.number}" class="notes-passage"><summary><span class="notes-badge">{passage.number}</span> '
            f"{escape(passage.title)}<small>{escape(passage.source)}</small></summary><p>{escape(passage.text)}</p><p>{link}</p></details>")


def refusal_html(leaflet: Leaflet) -> str:
    """Write why there is no leaflet.

    Parameters
    ----------
    leaflet : Leaflet
        A refusal.

    Returns
    -------
    str
        One element.
    """
    urgent = " notes-urgent" if leaflet.kind == "emergency" else ""
    return (f'<div class="notes-refusal{urgent}" role="status"><b>{REFUSALS.get(leaflet.kind, "No leaflet")}</b>{escape(leaflet.reason)}'
            "</div>")
