"""Everything that touches the world: Kafka, Faust, files, HTTP and the command line."""
