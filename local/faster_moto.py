"""moto without work that it repeats for every request, copies of whole tables, and a list of all that it ever made.

What is asked and answered stays the same: ``tests/local/test_faster_moto.py`` holds it to moto's own.
"""

from collections import defaultdict, deque
from collections.abc import Callable
from copy import copy, deepcopy
from functools import cache, lru_cache
from typing import Any

from moto.core import responses
from moto.core.common_models import BaseModel
from moto.core.utils import method_names_from_class
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser, Node  # type: ignore[attr-defined]
from moto.dynamodb.parsing.expressions import UpdateExpressionParser  # type: ignore[attr-defined]
from moto.dynamodb.parsing.validators import ActionCountValidator, OverlappingPathsValidator

MAX_EXPRESSIONS = 1_000
"""Expressions whose reading is remembered; the service sends some dozens."""
MAX_ITEM_BYTES = 405_000
"""moto's limit of one item."""

_transact_write_items: Callable[[DynamoDBBackend, list[dict[str, Any]]], None] = DynamoDBBackend.transact_write_items
_lex = ConditionExpressionParser._lex_condition_expression  # noqa: SLF001 - that is where the work is
_count_actions = ActionCountValidator.verify_action_counts
_find_overlaps = OverlappingPathsValidator.check_for_overlapping_paths
_is_a: Callable[[type, Any], bool] = cache(issubclass)


def make_moto_faster() -> None:
    """Put what is in this module in the place of moto's own, for the life of this process."""
    replaced: list[tuple[Any, str, Any]] = [
        (DynamoDBBackend, "transact_write_items", transact_named_items),
        (UpdateExpressionParser, "make", lru_cache(MAX_EXPRESSIONS)(UpdateExpressionParser.make)),
        (ConditionExpressionParser, "_lex_condition_expression", lex_condition),
        (DepthFirstTraverser, "traverse", traverse),
        (ActionCountValidator, "verify_action_counts", at_the_root(_count_actions)),
        (OverlappingPathsValidator, "check_for_overlapping_paths", at_the_root(_find_overlaps)),
        (Item, "__init__", make_item),
        (BaseModel, "__new__", staticmethod(make_untracked)),
        (responses, "method_names_from_class", cache(method_names_from_class)),
    ]
    for owner, name, own in replaced:
        setattr(owner, name, own)


def transact_named_items(backend: DynamoDBBackend, writes: list[dict[str, Any]]) -> None:
    """Run a transaction, in place of moto's method, on copies of the items that it names.

    moto copies whole tables, once for each write, to be able to roll back.

    Args:
        backend: moto's DynamoDB of one region.
        writes: The TransactItems of the request.
    """
    named: defaultdict[str, set[DynamoType]] = defaultdict(set)
    for operation in (operation for write in writes for operation in write.values()):
        table = backend.tables.get(operation.get("TableName"))
        key = operation.get("Key") or operation.get("Item") or {}
        if table is not None and table.hash_key_attr in key:
            named[table.name].add(DynamoType(key[table.hash_key_attr]))
    whole = {name: backend.tables[name] for name in named}
    for name, table in whole.items():
        part = copy(table)
        part.items = defaultdict(dict, {key: deepcopy(table.items[key]) for key in named[name] if key in table.items})
        part.__deepcopy__ = lambda _, part=part: part  # type: ignore[attr-defined]  # it is the copy
        backend.tables[name] = part
    try:
        _transact_write_items(backend, writes)
        for name, table in whole.items():
            done = backend.tables[name].items
            for key in named[name] - done.keys():
                table.items.pop(key, None)
            table.items.update(done)
    finally:
        backend.tables.update(whole)


def lex_condition(parser: ConditionExpressionParser) -> deque[Any]:
    """Split a condition into its words, in place of moto's method, once for each text."""
    return deque(_words(parser.condition_expression))


@lru_cache(MAX_EXPRESSIONS)
def _words(condition: str) -> tuple[Any, ...]:
    return tuple(_lex(ConditionExpressionParser(condition, None, None)))


def traverse(traverser: DepthFirstTraverser, node: Node, place: int = -1, kinds: tuple[type, ...] = ()) -> Node:
    """Process a tree from its leaves, in place of moto's method, which asks ``abc`` for the class of each node.

    Args:
        traverser: What processes nodes.
        node: The tree.
        place: Where the node is among its parent's children.
        kinds: Classes of the nodes that are processed; empty: to be asked of the traverser.

    Returns:
        The tree.
    """
    kinds = kinds or traverser.nodes_to_be_processed()
    parent = node.parent
    for at, child in enumerate(node.children or ()):
        traverser.pre_processing_of_child(node, at)
        if _is_a(type(child), Node):
            traverse(traverser, child, at, kinds)
    if _is_a(type(node), kinds):
        node = traverser.process(node)
        node.parent = parent
        if parent:
            parent.children[place] = node
    return node


def at_the_root(check: Callable[[Any, Node], Node]) -> Callable[[Any, Node], Node]:
    """Make a check of all actions below a node be done once, at the root; moto does it for each clause again."""
    return lambda validator, node: node if node.parent else check(validator, node)


def make_untracked(kind: type[BaseModel], *_: Any, **__: Any) -> BaseModel:
    """Make an object, in place of moto's method, which keeps each until it is reset: 20 kB for each photo."""
    made: BaseModel = super(BaseModel, kind).__new__(kind)
    return made


def make_item(item: Item, hash_key: DynamoType, range_key: DynamoType | None, attrs: dict[str, Any]) -> None:
    """Make an item, in place of moto's constructor, which adds up all sizes anew for each attribute.

    Args:
        item: The item.
        hash_key: Its partition key.
        range_key: Its sort key, if the table has one.
        attrs: All its attributes.

    Raises:
        ItemSizeTooLarge: They are too large together.
    """
    item.hash_key, item.range_key, item.attrs = hash_key, range_key, LimitedSizeDict()
    dict.update(item.attrs, {name: DynamoType(value) for name, value in attrs.items()})
    if item.size() > MAX_ITEM_BYTES:
        raise ItemSizeTooLarge
