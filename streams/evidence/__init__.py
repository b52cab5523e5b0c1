"""Evidence: what alerts stand on, kept on a topic, and packs that are made of it for others.

**Read it in this order.** `records` are the topic's bytes: the worker writes one beside each alert.
`gathering` reads what belongs to a case back from the topics, `gaps` tells what they no longer
have, `case` puts it in order, and `recomputing` has the engine judge it again. `crime_record` and
`describing` say it for machines and for people. `contents` are a pack's files, `packing` signs them
and makes one file of them, `verifying` checks one, and `keys` are what it is signed by.
"""
