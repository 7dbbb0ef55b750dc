"""The staff console under /console: the queue of hand-off records, worked off by coordinators.

`routes` (bot/console/app.py) is what the gateway mounts. Pure parts: `queue` (who is
first and why), `moves` (what may follow what), `fhir`, `export`, `figures`.
"""
