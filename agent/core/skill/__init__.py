"""A skill's markdown, compiled into a Playbook: text in, immutable value or every problem of the text out."""
