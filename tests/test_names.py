"""File names of fetched pictures, and which addresses may be asked: tables, and any text at all."""

import asyncio
import ipaddress
import unicodedata

import pytest
from aiohttp import ClientSession, TCPConnector
from aiohttp.abc import AbstractResolver
from hypothesis import example, given
from hypothesis import strategies as st

from acp_lib.database import names
from acp_lib.database.acquire.addresses import Policy, Refused, Resolver, public

URLS = st.one_of(st.text(max_size=400), st.text(max_size=300).map(lambda t: f"http://host/{t}"))


@pytest.mark.parametrize(("url", "name"), [
    ("http://farm4.static.flickr.com/3/123_abc_z.jpg", "123_abc_z.jpg"),
    ("http://h/a/b.jpg?c=/d#e/f", "b.jpg"), ("http://h/a/b.jpg/", "b.jpg"), ("http://h/%20 b.jpg", "%20 b.jpg"),
    ("http://h/.b.jpg", "b.jpg"), ("http://h/..b..", "b"), ("http://h/a\\..\\b.jpg", "a_.._b.jpg"),
    ("http://h/C:b.jpg", "C_b.jpg"), ("http://h/e\u0301.jpg", "é.jpg"), ("http://h/\u202egpj.b", "_gpj.b"),
    ("p.jpg", "p.jpg"),
])
def test_the_last_part_of_the_path(url, name):
    assert names.safe(url) == name


@pytest.mark.parametrize("url", ["", "http://h", "http://h/", "http://h/..", "http://h/./.", "http://[", "http://h/ "])
def test_nothing_left(url):
    assert names.safe(url).startswith("picture-") and len(names.safe(url)) == 16


def test_long_names_keep_their_ending_and_stay_apart():
    a, b = (names.safe(f"http://h/{'ä' * 300}{i}.jpeg") for i in range(2))
    assert a != b and a.endswith(".jpeg") and len(a.encode()) <= names.LONGEST
    assert len(names.safe("http://h/a." + "b" * 300).encode()) <= names.LONGEST


@pytest.mark.slow
@given(URLS)
@example("http://h/\x00/..\x00")
@example("http://h/\ud800.jpg")
def test_any_text_gives_a_name(url):
    name = names.safe(url)
    assert name and len(name.encode()) <= names.LONGEST + 12  # in UTF-8, without an error
    assert not name.startswith((".", " ")) and "/" not in name and "\\" not in name
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in name)


@pytest.mark.slow
@given(st.lists(st.tuples(st.sampled_from(["awe", "fear"]), URLS | st.just(float("nan"))), max_size=12))
def test_different_urls_have_different_files_and_rows_at_the_end_rename_nothing(rows):
    emotions, urls = [e for e, _ in rows], [u for _, u in rows]
    found = names.files(emotions, urls)
    pairs = {(e, u if isinstance(u, str) else "") for e, u in rows}
    assert len({f.casefold() for f in found}) == len(pairs)
    for k in range(len(rows)):
        assert names.files(emotions[:k], urls[:k]) == found[:k]


def test_several_urls_of_one_name():
    urls = ["http://h/1/p.jpg", "http://h/2/p.jpg", "http://h/1/p.jpg", "http://h/3/P.jpg"]
    first, second, again, third = names.files(["awe"] * 4, urls)
    assert first == again == "awe/p.jpg" and len({first, second, third.lower()}) == 3
    assert second.startswith("awe/p-") and third.startswith("awe/P-")
    assert names.files(["awe", "fear"], urls[:2]) == ["awe/p.jpg", "fear/p.jpg"]


def test_a_name_that_is_another_ones_marked_name():
    second = names.files(["awe"] * 2, ["http://h/1/p.jpg", "http://h/2/p.jpg"])[1].partition("/")[2]
    found = names.files(["awe"] * 3, [f"http://h/{second}", "http://h/1/p.jpg", "http://h/2/p.jpg"])
    assert len(set(found)) == 3


# addresses

PRIVATE = ["0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.0.1", "169.254.169.254", "172.16.0.1",
           "172.31.255.255", "192.0.0.8", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1",
           "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
           "::", "::1", "::ffff:127.0.0.1", "::ffff:192.168.1.1", "::127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b:1::1",
           "64:ff9b::a00:1", "100::1", "2001:db8::1", "2001::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1",
           "fc00::1", "fd12::1", "fe80::1", "fec0::1", "ff02::1", "4000::1"]
PUBLIC = ["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1",
          "223.255.255.1", "2606:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]


@pytest.mark.slow
@pytest.mark.parametrize("text", PRIVATE)
def test_private(text):
    address = ipaddress.ip_address(text)
    assert not public(address)
    host = f"[{text}]" if address.version == 6 else text
    with pytest.raises(Refused):
        Policy().check(f"http://{host}/p.jpg")
    assert Policy(private=True).check(f"http://{host}/p.jpg")
    assert Policy(allow=frozenset({(Policy(private=True).check(f"http://{host}").raw_host, 80)})).check(f"http://{host}/p")


@pytest.mark.parametrize("text", PUBLIC)
def test_public(text):
    address = ipaddress.ip_address(text)
    assert public(address) and Policy().check(f"https://{f'[{text}]' if address.version == 6 else text}/p.jpg")


@pytest.mark.slow
@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_no_more_public_inside_an_ipv6_one(address):
    mapped = ipaddress.IPv6Address(f"::ffff:{address}")
    translated = ipaddress.IPv6Address(f"64:ff9b::{address}")
    assert public(mapped) == public(translated) == public(address)
    assert not public(address) or address.is_global
    packed = ipaddress.IPv6Address((0x2002 << 112) + (int(address) << 80))
    assert not public(packed)


@pytest.mark.slow
@pytest.mark.parametrize("url", [
    "", "p.jpg", "//host/p.jpg", "file:///etc/passwd", "FILE:///etc/passwd", "ftp://host/p.jpg", "data:image/png,x",
    "javascript:1", "gopher://host/", "http:///p.jpg", "http://", "http://user@host/p.jpg", "http://user:word@host/p.jpg",
    "http://host:99999/", "http://host:0/", "http://ho st/", "http://\x00/", "http://[/", "http://[::1/", "http://a\\@b/",
    "http://127.1/", "http://0x7f000001/", "http://0x7f.0.0.1/", "http://2130706433/", "http://017700000001/",
    "http://0/", "http://127.0.0.1./", "http://１２７.0.0.1/", "http://127。0。0。1/", "http://[fe80::1%25eth0]/",
    "http://[::ffff:7f00:1]/", "http://127.0.0.1:80\\.host/",
])
def test_refused(url):
    with pytest.raises(Refused):
        Policy().check(url)


@pytest.mark.parametrize("url", ["http://host/p.jpg", "https://host:8443/p.jpg?q=1", " http://host/p.jpg\n",
                                 "HTTP://host/p", "http://bücher.example/ü.jpg", "http://host/a b.jpg"])
def test_asked(url):
    assert Policy().check(url).scheme in ("http", "https")


@pytest.mark.slow
@given(st.text(max_size=60))
@example("http://[::1]:80@host/")
def test_any_text_is_a_url_or_refused(text):
    for url in (text, f"http://{text}/p.jpg", f"http://host/{text}"):
        try:
            found = Policy().check(url)
        except Refused:
            continue
        assert found.scheme in ("http", "https") and found.raw_host.isascii()
        with pytest.raises(ValueError):  # a host that looks like an address is one, or refused
            assert not public(ipaddress.ip_address(found.raw_host))


class Told(AbstractResolver):
    def __init__(self, address: str):
        self.address = address

    async def resolve(self, host, port=0, family=0):
        return [{"hostname": host, "host": self.address, "port": port, "family": 2, "proto": 0, "flags": 0}]

    async def close(self): ...


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "0.0.0.0", "169.254.169.254", "224.0.0.1"])
def test_aiohttp_connects_to_nothing_that_the_resolver_refuses(address):
    async def ask():
        connector = TCPConnector(resolver=Resolver(Policy(), Told(address)))
        async with ClientSession(connector=connector) as session, session.get("http://name.test:9/"):
            pass

    with pytest.raises(Refused, match=r"name.test \(.*\) is not on the public network"):
        asyncio.run(ask())
