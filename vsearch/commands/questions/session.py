"""Questions of one process, one after the other: catalog and model stay open between them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import typer

from vsearch.errors import MomentMissingError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from search import Asked, Hit, SearchResult
    from vsearch.services.answers.search import WarmSearch

# Parameters of `query` that are about the process, not about a question.
OF_THE_PROCESS = frozenset({"catalog", "model", "queries", "server"})


@dataclass(frozen=True, slots=True)
class Answered:
    """A question that was answered, as far as its moments were shown.

    Attributes:
        words: the question, as it would follow `vsearch query`.
        hits: the moments that were found so far, also those that were not shown.
        moments: those that were shown, by rank.
    """

    words: Sequence[str] = ()
    hits: tuple[Hit, ...] = ()
    moments: Mapping[int, Hit] = field(default_factory=dict)


@dataclass
class Session:
    """The command `query`, run for one question after the other in this process.

    Attributes:
        query: the command, which reads the words of a question, answers it and prints the answer.
        warm: the open catalog and model.
        usual: values of the command's parameters, for questions that do not give them.
        labels: what the JSON of the next answer says first.
        last: the last question that was answered.
    """

    query: Any  # Typer has no public name for the type
    warm: WarmSearch
    usual: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, Any] = field(default_factory=dict)
    last: Answered | None = None
    _begun: Answered = field(default_factory=Answered)
    _result: SearchResult | None = None

    def ask(self, words: Sequence[str], *, settled: Collection[str] = ()) -> None:
        """Answer the question that would follow `vsearch query`.

        `settled` are parameters that take nothing from `usual`. Raises what the command raises;
        TyperException for wrong usage, and typer.Exit after `--help`.
        """
        self._answer(Answered(words), settled=settled)

    def ask_on(self) -> None:
        """Answer the last question with its next moments.

        Raises:
            MomentMissingError: there was no question, or there are no further moments.
        """
        if self.last is None:
            raise MomentMissingError("nothing was asked yet; type what to look for")
        self._answer(self.last)

    def search(self, asked: Asked, *, with_curves: bool = False) -> SearchResult:
        """The answer to a question, for the command: the moments that were not shown yet."""
        before = self._begun.hits
        more = replace(asked, limit=asked.limit + len(before))
        result = self.warm.answer(more, with_curves=with_curves)
        # Moments that are ordered by time do not begin with those of a shorter answer.
        known = {(hit.path, hit.peak) for hit in before}
        new = (hit for hit in result.hits if (hit.path, hit.peak) not in known)
        ranked = enumerate(new, start=len(before) + 1)
        hits = tuple(replace(hit, rank=rank) for rank, hit in ranked)
        self._result = replace(result, asked=asked, hits=hits)
        if before and not hits:
            raise MomentMissingError("there are no further moments")
        return self._result

    def labelled(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The JSON of an answer, after the labels."""
        return {**self.labels, **answer}

    def _answer(self, begun: Answered, *, settled: Collection[str] = ()) -> None:
        context, given = read_options(self.query, begun.words, obj=self)
        for name in self.usual.keys() - given - set(settled):
            context.params[name] = self.usual[name]
        self._begun = begun
        with suppress(typer.Exit), context:
            self.query.invoke(context)
        if self._result is not None:
            everything = context.params["everything"]
            shown = self._result.hits if everything else self._result.convincing
            self.last = Answered(
                begun.words,
                hits=(*begun.hits, *self._result.hits),
                moments={**begun.moments, **{hit.rank: hit for hit in shown}},
            )


def read_options(
    query: Any, words: Sequence[str], *, obj: Session | None = None
) -> tuple[typer.Context, set[str]]:
    """The context of a question's words, and the parameters that they give a value.

    Raises TyperException for wrong usage, and typer.Exit after `--help`.
    """
    context: typer.Context = query.make_context("vsearch query", list(words), obj=obj)
    given = given_in(context)
    for name in sorted(given & OF_THE_PROCESS):
        raise typer.BadParameter(
            "it is for the whole command; a question cannot change it", param_hint=f"--{name}"
        )
    return context, given


def given_in(context: typer.Context) -> set[str]:
    """The parameters that have a value on a command line."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return {name for name, source in sources.items() if source and source.name == "COMMANDLINE"}
