"""One way to ask a language model, whichever it is: remote, on this machine, or none at all."""
