"""What does the org say about itself? Bodies of the describe resources, built from the schema."""

from __future__ import annotations

from typing import Any

from sandbox.salesforce.schema import NUMBERS, Field, Schema, SObject

_SOAP_TYPES = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "address": "urn:address",
}


def global_describe(schema: Schema, base: str) -> dict[str, Any]:
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [summary(one, base) for one in schema.all()]}


def summary(sobject: SObject, base: str) -> dict[str, Any]:
    """One entry of the global describe; also the head of the full one."""
    home = f"{base}/sobjects/{sobject.name}"
    writable = sobject.writable
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": writable,
        "custom": sobject.name.endswith("__c"),
        "customSetting": False,
        "deepCloneable": False,
        "deletable": writable,
        "deprecatedAndHidden": False,
        "feedEnabled": writable,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": sobject.prefix,
        "label": sobject.name,
        "labelPlural": sobject.label_plural,
        "layoutable": True,
        "mergeable": sobject.name in ("Account", "Contact", "Lead", "Case", "Individual"),
        "mruEnabled": True,
        "name": sobject.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": True,
        "triggerable": writable,
        "undeletable": writable,
        "updateable": writable,
        "urls": {
            "describe": f"{home}/describe",
            "rowTemplate": f"{home}/{{ID}}",
            "sobject": home,
        },
    }


def describe(sobject: SObject, base: str) -> dict[str, Any]:
    return {
        **summary(sobject, base),
        "actionOverrides": [],
        "childRelationships": [
            {
                "cascadeDelete": child.on_delete == "cascade",
                "childSObject": child.child,
                "deprecatedAndHidden": False,
                "field": child.field,
                "junctionIdListNames": [],
                "junctionReferenceTo": [],
                "relationshipName": child.relationship,
                "restrictedDelete": child.on_delete == "restrict",
            }
            for child in sobject.children
        ],
        "compactLayoutable": True,
        "fields": [_field(one) for one in sobject.fields.values()],
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [],
        "searchLayoutable": True,
        "supportedScopes": [{"label": "All records", "name": "everything"}],
    }


def _field(one: Field) -> dict[str, Any]:
    numeric = one.type in NUMBERS
    return {
        "aggregatable": one.filterable and one.type != "boolean",
        "autoNumber": one.name in ("CaseNumber", "OrderNumber", "ContractNumber"),
        "byteLength": one.length if one.type in ("id", "reference") else one.length * 3,
        "calculated": False,
        "calculatedFormula": None,
        "cascadeDelete": False,
        "caseSensitive": False,
        "compoundFieldName": one.compound,
        "controllerName": None,
        "createable": one.createable,
        "custom": one.custom,
        "defaultValue": False if one.type == "boolean" else None,
        "defaultValueFormula": None,
        "defaultedOnCreate": "d" in one.flags,
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": 8 if one.type == "int" else 0,
        "displayLocationInDecimal": False,
        "encrypted": False,
        "externalId": False,
        "extraTypeInfo": "plaintextarea" if one.type == "textarea" else None,
        "filterable": one.filterable,
        "groupable": one.groupable,
        "highScaleNumber": False,
        "htmlFormatted": False,
        "idLookup": "i" in one.flags,
        "inlineHelpText": None,
        "label": one.label,
        "length": one.length,
        "mask": None,
        "maskType": None,
        "name": one.name,
        "nameField": "N" in one.flags,
        "namePointing": len(one.reference_to) > 1,
        "nillable": one.nillable,
        "permissionable": one.nillable and one.createable,
        "picklistValues": [],
        "polymorphicForeignKey": len(one.reference_to) > 1,
        "precision": 18 if numeric and one.type != "int" else 0,
        "queryByDistance": False,
        "referenceTargetField": None,
        "referenceTo": list(one.reference_to),
        "relationshipName": one.relationship,
        "relationshipOrder": None,
        "restrictedDelete": False,
        "restrictedPicklist": False,
        "scale": 2 if one.type == "currency" else 0,
        "searchPrefilterable": False,
        "soapType": _SOAP_TYPES.get(one.type, "xsd:string"),
        "sortable": one.sortable,
        "type": one.type,
        "unique": False,
        "updateable": one.updateable,
        "writeRequiresMasterRead": False,
    }
