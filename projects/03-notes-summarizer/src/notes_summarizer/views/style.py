"""How notes, summaries and leaflets look. Tints of the Okabe-Ito colours under dark ink; every colour has a line of its own kind."""

STYLE = """<style>
.notes-note { white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.7; font-size: 0.95rem; color: #1F2937; background: #FCFCFD;
  border: 1px solid #E1E5EB; border-radius: 0.6rem; padding: 1rem 1.1rem; max-height: 46rem; overflow-y: auto; }
.notes-sentence { border-radius: 0.2rem; scroll-margin: 6rem; transition: background 0.15s; }
.notes-sentence:target { background: #FFE9A8; box-shadow: 0 0 0 0.15rem #FFE9A8; }
.notes-order { outline: 2px dashed #B04A00; outline-offset: 1px; border-radius: 0.2rem; color: #1F2937; padding: 0 0.1rem; }
.notes-id { color: #111827; border-radius: 0.25rem; padding: 0.05rem 0.12rem; text-underline-offset: 0.2rem; text-decoration-thickness: 2px;
  cursor: help; box-decoration-break: clone; -webkit-box-decoration-break: clone; }
.notes-people { background: #CFE6F7; text-decoration: underline solid #0072B2 2px; }
.notes-places { background: #C8EBDF; text-decoration: underline double #00795A 2px; }
.notes-dates { background: #FBE5B6; text-decoration: underline dashed #9A6700 2px; }
.notes-contact { background: #F3DBE9; text-decoration: underline dotted #9B4B7B 2px; }
.notes-numbers { background: #F6F1B0; text-decoration: underline wavy #7A7000 1px; }
.notes-legend { display: flex; flex-wrap: wrap; gap: 0.4rem 1.1rem; font-size: 0.85rem; color: #374151; line-height: 1.8; }
.notes-legend .notes-id { cursor: default; }
.notes-summary section { margin-bottom: 1.1rem; }
.notes-summary h4, .notes-alert h4, .notes-leaflet h4 { font-size: 0.82rem; font-weight: 650; letter-spacing: 0.05em;
  text-transform: uppercase; color: #4B5563; padding: 0; margin: 0 0 0.4rem; }
.notes-summary ul, .notes-alert ul, .notes-warning ul { list-style: none; padding: 0; margin: 0; }
.notes-statement { position: relative; margin: 0 0 0.35rem; padding: 0.45rem 0.7rem; line-height: 1.5; color: #1F2937;
  overflow-wrap: anywhere; border-left: 0.25rem solid #9CC7E3; border-radius: 0.3rem; background: #F7FAFC; }
.notes-statement:hover, .notes-statement:focus-within { background: #FFF6DA; }
.notes-text { cursor: help; outline-offset: 2px; }
.notes-flagged { border-left-color: #E69F00; background: #FFF9EC; }
.notes-unsupported { border-left: 0.25rem dashed #D55E00; background: #FDF1EA; }
.notes-flag { background: #FAD9C3; color: #111827; border-radius: 0.2rem; padding: 0 0.15rem; text-decoration: underline wavy #B04A00 1px;
  text-underline-offset: 0.2rem; }
.notes-words { display: block; font-size: 0.85rem; color: #8A3B00; margin-top: 0.15rem; }
.notes-badge { display: inline-block; min-width: 1.5rem; text-align: center; font-size: 0.75rem; line-height: 1.4rem; padding: 0 0.3rem;
  border-radius: 0.7rem; background: #E3EDF5; color: #00507D !important; text-decoration: none !important; font-weight: 600; }
.notes-badge:hover, .notes-badge:focus { background: #0072B2; color: #FFFFFF !important; }
.notes-card { display: none; position: absolute; z-index: 50; left: 0.5rem; right: 0.5rem; top: calc(100% - 0.2rem); background: #FFFFFF;
  border: 1px solid #CBD5E1; border-radius: 0.5rem; box-shadow: 0 0.5rem 1.4rem rgba(15, 23, 42, 0.16); padding: 0.65rem 0.85rem;
  font-size: 0.88rem; color: #1F2937; }
.notes-card > span { display: block; white-space: pre-line; max-height: 12rem; overflow-y: auto; }
.notes-card > span + span { margin-top: 0.45rem; padding-top: 0.45rem; border-top: 1px solid #E5E7EB; }
.notes-card b { color: #00507D; margin-right: 0.25rem; }
.notes-statement:hover .notes-card, .notes-statement:focus-within .notes-card, .notes-cited:hover .notes-card,
.notes-cited:focus-within .notes-card { display: block; }
.notes-none { color: #6B7280; font-size: 0.9rem; margin: 0; }
.notes-alert, .notes-warning { border-radius: 0.5rem; padding: 0.75rem 0.9rem; margin-bottom: 1rem; }
.notes-alert { background: #FDF1EA; border: 1px solid #EDB48F; }
.notes-alert h4 { color: #8A3B00; }
.notes-alert .notes-statement { background: transparent; border-left: 0; padding: 0.2rem 0; }
.notes-warning { background: #FFF8E6; border: 1px solid #EBCF8B; color: #4A3A00; font-size: 0.92rem; line-height: 1.5; }
.notes-warning li + li { margin-top: 0.35rem; }
.notes-leaflet { font-size: 1.08rem; line-height: 1.7; color: #1F2937; background: #FFFFFF; border: 1px solid #E1E5EB;
  border-radius: 0.6rem; padding: 1.2rem 1.4rem; max-width: 46rem; }
.notes-leaflet h3 { padding: 0; margin: 0 0 0.8rem; font-size: 1.4rem; }
.notes-leaflet h4 { margin-top: 1rem; }
.notes-leaflet p, .notes-leaflet ul { margin: 0 0 0.4rem; }
.notes-leaflet ul { padding-left: 1.3rem; }
.notes-leaflet .notes-advice { border-top: 1px solid #E5E7EB; margin-top: 1rem; padding-top: 0.8rem; font-size: 0.92rem; color: #4B5563; }
.notes-refusal { background: #EEF5FA; border: 1px solid #BCD7E8; border-radius: 0.6rem; padding: 1.1rem 1.3rem; color: #12344A;
  max-width: 46rem; line-height: 1.6; }
.notes-refusal b { display: block; margin-bottom: 0.3rem; font-size: 1.05rem; }
.notes-urgent { background: #FDF1EA; border-color: #D55E00; color: #5C2600; }
.notes-cited { position: relative; margin: 0 0 0.35rem; padding: 0.1rem 0.3rem; border-radius: 0.3rem; }
.notes-cited:hover, .notes-cited:focus-within { background: #FFF6DA; }
.notes-passage { overflow-wrap: anywhere; font-size: 0.92rem; line-height: 1.6; color: #374151; scroll-margin: 6rem; padding: 0.5rem 0.7rem;
  border: 1px solid #E1E5EB; border-radius: 0.5rem; margin-bottom: 0.5rem; }
.notes-passage:target { background: #FFF6DA; }
.notes-passage summary { cursor: pointer; font-weight: 600; }
.notes-passage small { display: block; font-weight: 400; color: #6B7280; padding-left: 2.9rem; }
.notes-passage p { white-space: pre-line; margin: 0.5rem 0 0; }
@media (min-width: 900px) {
  [data-testid="stColumn"]:has(.notes-note) > [data-testid="stVerticalBlock"] { position: sticky; top: 4rem; height: auto; }
  [data-testid="stColumn"] .notes-note { max-height: 62vh; }
}
@media (max-width: 640px) {
  .notes-note { max-height: 26rem; padding: 0.8rem; }
  .notes-badge { min-width: 1.9rem; line-height: 1.8rem; border-radius: 0.9rem; }
  .notes-leaflet, .notes-refusal { padding: 0.9rem 1rem; font-size: 1rem; }
}
</style>"""
"""A style element for the page."""
