"""Text <-> token ids for pretrained models: their tokenizer and their chat template.

The tokenizer is `tokenizer.json`; the template, a Jinja program that comes with the checkpoint,
runs in Jinja's sandbox. Fed by a checkpoint's folder.
"""

import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.parser
import jinja2.sandbox
from tokenizers import Tokenizer

from selfplay.model.pretrained_files import CONFIG, BrokenCheckpoint, check_folder, read_object

Message = Mapping[str, str]
"""`role` (system, user or assistant) and `content`."""


class PretrainedTokenizer:
    """A checkpoint's tokenizer, its special tokens and its chat template."""

    def __init__(self, folder: Path, today: datetime.date | None = None) -> None:
        """Read a checkpoint's folder.

        Args:
            folder: the checkpoint's.
            today: what the template is told if it asks for the date; by default the date, in UTC.
        Raises:
            BrokenCheckpoint: no `tokenizer.json`, a file that cannot be read, a special token that
                the vocabulary lacks, or nothing that says which token ends a response.
        """
        check_folder(folder)
        self._folder = folder
        self._today = today or datetime.datetime.now(datetime.UTC).date()
        self._tokenizer = _tokenizer(folder / "tokenizer.json")
        settings = read_object(folder / "tokenizer_config.json") or {}
        self._special = {
            name: _text(settings[name])
            for name in ("bos_token", "eos_token", "pad_token", "unk_token")
            if settings.get(name) is not None
        }
        self._template = self._chat_template(settings)
        self.end_ids = self._ends()
        """Ids that end a response; the first one, with which the template ends the assistant's turn
        if it does so with one of them, is written at the end of those we teach."""
        pad = self._special.get("pad_token")
        self.pad_id = self.end_ids[0] if pad is None else self._id(pad)
        """Fills rows; never looked at."""

    @property
    def vocabulary(self) -> int:
        """Number of token ids that the tokenizer knows; a model may have room for more."""
        return self._tokenizer.get_vocab_size()

    def encode(self, text: str) -> list[int]:
        """Ids of a text as it stands: nothing is added, special tokens in it are text."""
        # Texts of models and environments must not be able to write special tokens.
        self._tokenizer.encode_special_tokens = True
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def decode(self, ids: Iterable[int]) -> str:
        """Text of ids; special tokens give nothing."""
        return self._tokenizer.decode(list(ids), skip_special_tokens=True)

    def response(self, text: str) -> list[int]:
        """Ids of a whole response, with the token that ends it."""
        return [*self.encode(text), self.end_ids[0]]

    def chat(self, messages: Sequence[Message], **options: Any) -> list[int]:
        """Ids of a conversation up to where the assistant's turn begins.

        Args:
            messages: what was said. Special tokens in a content would be taken for real ones: text
                from outside goes through `plain` first.
            options: of the template, as `enable_thinking`.
        Raises:
            ValueError: the checkpoint has no chat template, or the template refuses the messages.
        """
        return self._rendered(messages, add_generation_prompt=True, **options)

    def _rendered(self, messages: Sequence[Message], **options: Any) -> list[int]:
        if self._template is None:
            raise ValueError(
                f"{self._folder} has no chat template (chat_template.jinja, or chat_template in "
                "tokenizer_config.json): it is a base model. Take the one that was trained to chat."
            )
        try:
            text = self._template.render(
                messages=[dict(message) for message in messages], tools=None, documents=None,
                **self._special, **options,
            )  # fmt: skip
        except Exception as error:  # a template is a program: it may fail in any way
            raise ValueError(f"the chat template of {self._folder} failed: {error}") from error
        self._tokenizer.encode_special_tokens = False
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def plain(self, text: str) -> str:
        """A text in which nothing is taken for a special token, by a space within each."""
        for token in self._tokenizer.get_added_tokens_decoder().values():
            if token.special and len(token.content) > 1 and token.content in text:
                text = text.replace(token.content, f"{token.content[0]} {token.content[1:]}")
        return text

    def _ends(self) -> tuple[int, ...]:
        """Ids that end a response: what the generation config says, and the tokenizer's own.

        Without the first, what the model's configuration says, as transformers has it.
        """
        named = (self._folder / name for name in ("generation_config.json", CONFIG))
        file = next((file for file in named if file.exists()), self._folder / CONFIG)
        said = (read_object(file) or {}).get("eos_token_id")
        ids = [] if said is None else said if isinstance(said, list) else [said]
        if not all(isinstance(id, int) for id in ids):
            raise BrokenCheckpoint(f"{file} has eos_token_id={said!r}, not a token id or several.")
        if "eos_token" in self._special:
            ids = [self._id(self._special["eos_token"]), *ids]
        if not ids:
            raise BrokenCheckpoint(
                f"nothing in {self._folder} says which token ends a response: neither eos_token in "
                f"tokenizer_config.json nor eos_token_id in {file.name}."
            )
        return tuple(dict.fromkeys([*self._end_of_turn(ids), *ids]))

    def _end_of_turn(self, ids: Sequence[int]) -> list[int]:
        """The one of these with which the template ends what the assistant said, if it does."""
        question, answer = {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}
        try:
            asked = self._rendered([question], add_generation_prompt=False)
            answered = self._rendered([question, answer], add_generation_prompt=False)
        except ValueError:  # a base model, or one that answers otherwise
            return []
        own = answered[len(asked) :] if answered[: len(asked)] == asked else []
        return [id for id in reversed(own) if id in ids][:1]

    def _id(self, token: str) -> int:
        found = self._tokenizer.token_to_id(token)
        if found is None:
            raise BrokenCheckpoint(
                f"the vocabulary of {self._folder} lacks the special token {token!r}."
            )
        return found

    def _chat_template(self, settings: Mapping[str, Any]) -> jinja2.Template | None:
        file = self._folder / "chat_template.jinja"
        try:
            source = file.read_text() if file.exists() else settings.get("chat_template")
        except (OSError, ValueError) as error:
            raise BrokenCheckpoint(f"{file} cannot be read: {error}.") from error
        if source is None:
            return None
        environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols, _Generation]
        )
        environment.filters["tojson"] = _to_json
        environment.globals |= {"raise_exception": _raise, "strftime_now": self._today.strftime}
        try:
            if isinstance(source, list):  # several by name
                named = {entry["name"]: entry["template"] for entry in source}
                source = named.get("default", next(iter(named.values())))
            return environment.from_string(source)
        except (jinja2.TemplateError, TypeError, KeyError, StopIteration) as error:
            raise BrokenCheckpoint(
                f"the chat template of {self._folder} cannot be read: {error!r}"
            ) from error


class _Generation(jinja2.ext.Extension):
    """`{% generation %}`, with which templates mark what an assistant says: it changes nothing."""

    tags = {"generation"}

    def parse(self, parser: jinja2.parser.Parser) -> jinja2.nodes.Node:
        """What stands between the marks; what it sets ends with it."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return jinja2.nodes.Scope(body, lineno=line)


def _tokenizer(file: Path) -> Tokenizer:
    """Read a tokenizer; what it is set to cut off or fill up with is for who trained it."""
    if not file.exists():
        raise BrokenCheckpoint(
            f"{file.parent} lacks tokenizer.json. If it has a tokenizer in another form, as "
            "tokenizer.model: load that with transformers' AutoTokenizer and `save_pretrained` it."
        )
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises nothing more special
        raise BrokenCheckpoint(f"{file} cannot be read: {error}. Fetch it again.") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _text(token: Any) -> str:
    """A special token; some files wrap it."""
    return str(token.get("content")) if isinstance(token, Mapping) else str(token)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """The template's `tojson`: not escaped for HTML."""
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def _raise(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)
