"""Which namespace a command of `state` means: a backend and a name, or an address."""

import functools
from collections.abc import Callable
from typing import Any

import click

from statewatch.cli.errors import MistakeError
from statewatch.cli.sources import opened, source_at
from statewatch.core.stores.base import Store
from statewatch.core.stores.urls import (
    BACKENDS,
    DEFAULT_NAMESPACE,
    backend_url,
    is_store_url,
    refuse_bare_word,
    with_namespace,
)


def namespace_options(decorated: Callable[..., Any]) -> Callable[..., Any]:
    """Take the options that say which namespace is meant; what is decorated gets it opened, as `store`."""

    @functools.wraps(decorated)
    def chosen(*args: Any, backend: str | None, namespace: str | None, address: str | None, **options: Any) -> Any:
        return decorated(*args, store=_chosen(backend, namespace, address), **options)

    taking: Callable[..., Any] = chosen
    for option in (
        click.option("--address", metavar="URL|PATH", help="The namespace by its address, or any JSON file."),
        click.option("--namespace", metavar="NAME", help=f"The namespace, by default {DEFAULT_NAMESPACE!r}."),
        click.option("--backend", type=click.Choice(BACKENDS), help="Where it is kept, by default json."),
    ):
        taking = option(taking)
    return taking


def _chosen(backend: str | None, namespace: str | None, address: str | None) -> Store:
    if address is None:
        return opened(backend_url(backend or "json", DEFAULT_NAMESPACE if namespace is None else namespace))
    if backend is not None or namespace is not None:
        raise MistakeError("--address says all: give it without --backend and --namespace.")
    return source_at(address)


def target(text: str, namespace: str | None, source: Store) -> Store:
    """Open where a namespace is to be moved: a backend or an address, with that name or else the one it has."""
    name = namespace or source.namespace or DEFAULT_NAMESPACE
    if text in BACKENDS:
        return opened(backend_url(text, name))
    if is_store_url(text):
        return opened(text if namespace is None and "namespace=" in text else with_namespace(text, name))
    if namespace is not None:
        raise MistakeError(f"{text}: a JSON file is one namespace by itself. Leave --to-namespace out.")
    refuse_bare_word(text)
    return source_at(text)
