"""Which URLs may be asked: http and https, at addresses of the public network.

A list of URLs is other people's text, and the hosts it names may redirect anywhere; neither must reach the services of
this machine or its network. A URL is checked before each request, each redirect among them, and the addresses that a
name stands for are checked when the connection is made, so a name whose address changes in between gains nothing.

Chapter: Building the database.
"""

import re
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

# What `ipaddress` calls global, by Python's version, and is not the public network
NOT_PUBLIC: list[IPv4Network | IPv6Network] = [IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"),
                                               IPv6Network("3fff::/20")]
GLOBAL_UNICAST = IPv6Network("2000::/3")
NAT64 = IPv6Network("64:ff9b::/96")  # an IPv4 address in the last 32 bits

HOST = re.compile(r"[A-Za-z0-9._-]{1,255}|[0-9A-Fa-f:.]+(%.+)?")  # a name, after IDNA; or an IPv6 address


class Refused(ValueError):
    """A URL or an address that is not asked."""


def public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address belongs to the public network: no private, loopback, link-local, reserved or multicast one,
    and no IPv6 address that hides such an IPv4 address (mapped, NAT64, 6to4, Teredo).
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return public(address.ipv4_mapped)
        if address in NAT64:
            return public(IPv4Address(int(address) & 0xFFFFFFFF))
        if address not in GLOBAL_UNICAST or address.sixtofour or address.teredo:
            return False
    if any(address in network for network in NOT_PUBLIC):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


class Policy:
    """What may be asked.

    Parameters
    ----------
    private : whether addresses that are not `public` may be asked
    allow : (host, port) of servers that may be asked wherever they are
    """

    def __init__(self, private: bool = False, allow: frozenset[tuple[str, int]] = frozenset()):
        self.private = private
        self.allow = allow

    def check_address(self, text: str, host: str, port: int) -> None:
        """Raise Refused for an address, in the form that a socket takes, that may not be asked on behalf of a host."""
        if self.private or (host, port) in self.allow:
            return
        try:
            address = ip_address(text)
        except ValueError:
            raise Refused(f"{text!r} is no address") from None
        if not public(address):
            raise Refused(f"{host} ({address}) is not on the public network")

    def check(self, text: str, seen_at: URL | None = None) -> URL:
        """The URL that a text stands for, or that it leads to from the one where it was seen.

        Raises
        ------
        Refused
            If it is no URL, not http or https, names a user, or its host is an address that may not be asked.
        """
        try:
            url = URL(text.strip())
            url = seen_at.join(url) if seen_at else url
            host, port = url.raw_host, url.port
        except (ValueError, TypeError, UnicodeError) as error:
            raise Refused(f"no URL: {error}") from None
        if url.scheme not in ("http", "https"):
            raise Refused(f"{url.scheme or 'no scheme'}: is not http or https")
        if not port or url.explicit_port == 0 or not host or not HOST.fullmatch(host):  # some yarl takes 0 for none
            raise Refused("names no host")
        if url.user is not None or url.password is not None:
            raise Refused("names a user")
        if _numeric(host):
            self.check_address(host, host, port)
        return url


def _numeric(host: str) -> bool:
    """Whether a socket takes a host for an address, in any of its forms (127.0.0.1, 127.1, 0x7f000001, ::1)."""
    if ":" in host or host.replace(".", "").isdigit():  # aiohttp takes the latter for an address, too
        return True
    try:
        return bool(socket.inet_aton(host))
    except (OSError, UnicodeError, ValueError):
        return False


class Resolver(AbstractResolver):
    """Looks names up, and refuses a name if one of its addresses may not be asked.

    aiohttp connects to what this returns and to nothing else. It does not ask for hosts that are addresses already;
    those `Policy.check` has seen.
    """

    def __init__(self, policy: Policy, resolver: AbstractResolver | None = None):
        self.policy = policy
        self.resolver = resolver or ThreadedResolver()

    async def resolve(self, host: str, port: int = 0,
                      family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        found = await self.resolver.resolve(host, port, family)
        for result in found:
            self.policy.check_address(result["host"].partition("%")[0], host, port)
        return found

    async def close(self) -> None:
        await self.resolver.close()
