"""A demonstration that is the product at work: a real Kafka, a real worker, staged hijacks.

`installation` sets it all up and takes it all down; `playing` sends the story's events and reads
the alerts; `outcome` holds the alerts against what was staged; `screen` shows it. No figure is
known beforehand: each is measured from what came back on `alerts`.
"""
