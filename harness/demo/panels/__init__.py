"""The gold set `odometer`: instrument panels drawn from a seed, with the readings that were drawn.

A `Panel` says everything about one picture; `scene.draw` draws it as it is, `camera.take` photographs it, and
`panel.fields` are the gold readings. Nothing is drawn that does not stand in the panel.

`python -m harness.demo.panels goldsets` writes the pictures, the items and the card.
"""
