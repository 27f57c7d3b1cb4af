"""How an answer and the words that matter look. Tints of the Okabe-Ito colours under dark ink; every colour has a line of its own kind."""

STYLE = """<style>
.tc-answer { border: 1px solid #BCD7E8; border-left: 0.3rem solid #0072B2; border-radius: 0.6rem; padding: 0.8rem 1.1rem;
  background: #F4F9FC; color: #12344A; overflow-wrap: anywhere; }
.tc-answer small { display: block; font-size: 0.85rem; color: #4B5563; }
.tc-answer b { font-size: 1.35rem; line-height: 1.5; }
.tc-unsure { border-color: #EDB48F; border-left: 0.3rem dashed #D55E00; background: #FDF4EE; color: #5C2600; }
.tc-text { white-space: pre-wrap; overflow-wrap: anywhere; line-height: 2.1; font-size: 0.98rem; color: #1F2937; background: #FCFCFD;
  border: 1px solid #E1E5EB; border-radius: 0.6rem; padding: 0.9rem 1.1rem; max-height: 34rem; overflow-y: auto; }
.tc-text mark, .tc-legend mark { color: #111827; border-radius: 0.25rem; padding: 0.08rem 0.18rem; text-underline-offset: 0.22rem;
  text-decoration-thickness: 2px; box-decoration-break: clone; -webkit-box-decoration-break: clone; }
.tc-text mark { cursor: help; }
.tc-for { text-decoration: underline solid #0072B2 2px; }
.tc-against { text-decoration: underline dashed #B04A00 2px; }
.tc-text sup, .tc-legend sup { font-size: 0.72rem; font-weight: 650; color: #111827; margin-left: 0.12rem; white-space: nowrap;
  line-height: 1; }
.tc-unread { color: #6B7280; background: #F1F3F6; text-decoration: line-through #9CA3AF; }
.tc-legend { display: flex; flex-wrap: wrap; gap: 0.4rem 1.2rem; font-size: 0.87rem; color: #374151; line-height: 1.9; }
@media (max-width: 640px) {
  .tc-text { padding: 0.8rem; max-height: 26rem; }
  .tc-answer b { font-size: 1.15rem; }
}
</style>"""
"""A style element for the page."""
