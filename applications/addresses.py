"""Allowed addresses: the networks from which an application can be used, as CIDR."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

from django.core.exceptions import ValidationError

MAX_NETWORKS = 50
_MAX_LENGTH = 43  # of the longest IPv6 network
# Of an IPv6 address before the IPv4 address that it stands for.
_MAPPED_BITS = 96
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def valid_networks(texts: Iterable[str]) -> list[str]:
    """Return networks as they are stored, without duplicates. Raises ValidationError."""
    given = [text for text in map(str.strip, texts) if text]
    if len(given) > MAX_NETWORKS:
        raise ValidationError(
            f"An application can have at most {MAX_NETWORKS} allowed addresses; "
            f"these are {len(given)}."
        )
    return list(dict.fromkeys(str(_network(text)) for text in given))


@lru_cache(maxsize=4096)
def is_allowed(networks: str, address: str | None) -> bool:
    """Return whether the application can be used from an address; without networks, from any.

    `networks` are stored ones, separated by spaces. An unknown address is in no network.
    """
    if not networks:
        return True
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)  # ::ffff:192.0.2.7 is 192.0.2.7
    return any((mapped or found) in network for network in _networks(networks))


@lru_cache(maxsize=1024)
def _networks(texts: str) -> tuple[_Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts.split())


def _network(text: str) -> _Network:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValidationError(
            f"“{text[:_MAX_LENGTH]}” is not an address or a network. "
            "Write for example 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32."
        ) from None
    if "/" in text and ipaddress.ip_interface(text).ip != network.network_address:
        raise ValidationError(
            f"“{text[:_MAX_LENGTH]}” is an address in a network. "
            f"Write {network} for the network, or the address without “/”."
        )
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= _MAPPED_BITS:
        return ipaddress.IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))
    return network
