"""The order of the fields in the form that Prefect's UI makes of a configuration."""

from typing import Any

from pydantic import GetJsonSchemaHandler


def number_fields(schema: dict[str, Any], handler: GetJsonSchemaHandler) -> None:
    """Give every field of a model's JSON schema, and of the models in it, its `position`.

    The UI sorts fields by it, at every level, but Prefect numbers those of the first alone: the rest would keep the
    order of the schema, and a server on PostgreSQL keeps none (its JSONB sorts keys by their length).
    """
    model = handler.resolve_ref_schema(schema)
    for position, field in enumerate(model.get("properties", {}).values()):
        field["position"] = position
        for part in (field, *field.get("anyOf", ()), *field.get("allOf", ())):
            if "$ref" in part:
                number_fields(part, handler)
