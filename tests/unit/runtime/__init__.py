"""The runtime without Faust and without a broker."""
