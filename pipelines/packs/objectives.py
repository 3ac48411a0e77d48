"""The objectives of the SMART Concept that indicators belong to, and their measures. The titles are this project's own wording."""

from __future__ import annotations

OBJECTIVES = {
    "ZPO2-1": {"en": "Cohesion inside and between territories", "cs": "Soudržnost uvnitř území a mezi nimi"},
    "ZPO2-2": {"en": "The municipality as a home and a community", "cs": "Obec jako domov a společenství"},
    "ZPO2-3": {
        "en": "Sustainable development in the economic, environmental and social fields",
        "cs": "Udržitelný rozvoj v hospodářské, environmentální a sociální oblasti",
    },
    "ZPO3-1": {
        "en": "Cooperation of municipalities, and areas without fast networks",
        "cs": "Spolupráce obcí a území bez rychlých sítí",
    },
    "ZPO3-3": {"en": "Public services online", "cs": "Veřejné služby na internetu"},
}
MEASURES = {
    ("ZPO2-2", 1): {
        "en": "Associations and culture, belonging, generations together",
        "cs": "Spolky a kultura, sounáležitost, setkávání generací",
    },
    ("ZPO2-2", 2): {"en": "Sharing experience with events", "cs": "Sdílení zkušeností s pořádáním akcí"},
    ("ZPO2-2", 3): {"en": "Stable funding for culture and associations", "cs": "Stálá podpora kultury a spolků"},
    ("ZPO2-2", 4): {
        "en": "Women and men, young and old, healthy and disabled",
        "cs": "Ženy a muži, mladí a staří, lidé s postižením a bez něj",
    },
    ("ZPO2-2", 5): {
        "en": "Planning together with associations and companies",
        "cs": "Společné plánování se spolky, organizacemi a firmami",
    },
    ("ZPO2-2", 6): {"en": "Participatory budgets and social networks", "cs": "Participativní rozpočet a sociální sítě"},
    ("ZPO2-2", 7): {"en": "Membership in the network of Healthy Cities", "cs": "Členství v síti Zdravých měst"},
    ("ZPO2-2", 8): {"en": "Local Agenda 21", "cs": "Místní Agenda 21"},
    ("ZPO2-3", 1): {"en": "A competitive, resource-efficient economy", "cs": "Konkurenceschopné hospodářství šetrné ke zdrojům"},
    ("ZPO2-3", 2): {"en": "Projects assessed by the EU taxonomy", "cs": "Projekty posouzené podle taxonomie EU"},
    ("ZPO2-3", 3): {"en": "Growth decoupled from the use of resources", "cs": "Růst oddělený od spotřeby zdrojů"},
    ("ZPO2-3", 4): {"en": "Innovative local business", "cs": "Inovativní místní podnikání"},
    ("ZPO2-3", 5): {"en": "Green investment and climate neutrality", "cs": "Zelené investice a klimatická neutralita"},
    ("ZPO2-3", 6): {"en": "Information technology for regional products", "cs": "Informační technologie pro regionální produkty"},
    ("ZPO3-1", 1): {"en": "Unions of municipalities", "cs": "Svazky obcí"},
    ("ZPO3-1", 2): {"en": "Good practice in cooperation", "cs": "Dobrá praxe ve spolupráci"},
    ("ZPO3-1", 3): {"en": "Integrated territorial investment", "cs": "Integrované územní investice"},
    ("ZPO3-1", 4): {"en": "Fast networks everywhere", "cs": "Rychlé sítě všude"},
}
"""Titles of measures by language, by objective and number."""
