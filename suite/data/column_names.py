"""How people call columns, in the languages met most: in lower case, without accents and without
what parts words. A name is a hint among others; what a column holds decides with it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from suite.data.delimited import NoHeader
from suite.data.spellings import spell

#: Of texts.
TEXTS = frozenset({
    "text", "texts", "body", "content", "contents", "message", "description", "comment",
    "comments", "review", "sentence", "question", "utterance", "query", "document", "abstract",
    "tweet", "post", "passage", "paragraph", "prompt", "input", "transcript", "note", "email",
    "article", "story", "request", "complaint", "feedback",
    "正文", "文本", "内容", "评论", "描述", "句子", "问题", "留言", "消息",
    "inhalt", "nachricht", "beschreibung", "kommentar", "anfrage",
    "texte", "contenu", "commentaire", "texto", "mensaje", "contenido", "testo", "messaggio",
})  # fmt: skip
#: Of what stands over a text, and is joined with it where both are there.
HEADINGS = frozenset({
    "title", "subject", "headline", "heading", "summary", "标题", "主题", "题目", "摘要",
    "betreff", "titel", "uberschrift", "titre", "sujet", "objet", "titulo", "asunto", "titolo",
    "oggetto",
})  # fmt: skip
#: Of classes; the first that is there is read.
LABELS = (
    "label", "labels", "category", "class", "target", "intent", "topic", "sentiment",
    "categories", "classes", "y", "tag", "gold", "klasse", "kategorie", "categorie", "categoria",
    "classe", "clase", "etiqueta", "etiquette", "标签", "类别", "分类", "意图", "情感", "类型",
)  # fmt: skip
#: Of what names a row.
IDS = frozenset({
    "id", "uuid", "guid", "key", "ticket", "row", "doc", "index", "number", "no", "nr", "ref",
    "reference", "case", "编号", "序号", "工单号", "单号", "nummer", "numero",
})  # fmt: skip
#: Of who or what several rows come from.
GROUPS = frozenset({
    "customer", "client", "user", "author", "account", "speaker", "session", "thread",
    "conversation", "company", "organisation", "organization", "patient", "person", "member",
    "household", "客户", "用户", "作者", "公司", "会话", "kunde", "benutzer", "utilisateur",
    "cliente", "usuario",
})  # fmt: skip
#: Of facts about rows that are seldom what is to be told from a text.
BESIDE = frozenset({"split", "fold", "lang", "language", "locale", "year", "month", "day"})


def plain(name: str) -> str:
    """A name as these lists have it.

    >>> plain("Customer_ID"), plain("Catégorie")
    ('customerid', 'categorie')
    """
    letters = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[\W_]+", "", "".join(c for c in letters if not unicodedata.combining(c)))


def check_first_row(columns: Mapping[str, Sequence[Any]], where: str) -> None:
    """
    Raises:
        NoHeader: the first row holds names of columns, so that something else stands above it.
    """
    cells = [spell(values[0]) for values in columns.values() if len(values) and values[0]]
    known = TEXTS | HEADINGS | IDS | set(LABELS)
    names = [cell for cell in cells if plain(cell[:40]) in known]
    if len(names) > 1:
        above = ", ".join(list(columns)[:6])
        raise NoHeader(
            f"the first row holds names of columns ({', '.join(names[:6])}), and what stands above "
            f"it does not: {above}",
            where=where,
            fix="Take out what stands above the names.",
        )
