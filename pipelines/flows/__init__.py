"""One dataflow per file, named verb_noun: wiring only."""
