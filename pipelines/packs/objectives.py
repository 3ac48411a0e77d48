"""The objectives of the SMART Concept that indicators belong to, and their measures. The titles are this project's own wording."""

from __future__ import annotations

OBJECTIVES = {
    "ZPO2-1": {
        "en": "Cohesion inside and between territories",
        "cs": "Soudržnost uvnitř území a mezi nimi",
        "sk": "Súdržnosť vnútri území a medzi nimi",
    },
    "ZPO2-2": {
        "en": "The municipality as a home and a community",
        "cs": "Obec jako domov a společenství",
        "sk": "Obec ako domov a spoločenstvo",
    },
    "ZPO2-3": {
        "en": "Sustainable development in the economic, environmental and social fields",
        "cs": "Udržitelný rozvoj v hospodářské, environmentální a sociální oblasti",
        "sk": "Udržateľný rozvoj v hospodárskej, environmentálnej a sociálnej oblasti",
    },
    "ZPO3-1": {
        "en": "Cooperation of municipalities, and areas without fast networks",
        "cs": "Spolupráce obcí a území bez rychlých sítí",
        "sk": "Spolupráca obcí a územia bez rýchlych sietí",
    },
    "ZPO3-3": {
        "en": "Public services online",
        "cs": "Veřejné služby na internetu",
        "sk": "Verejné služby na internete",
    },
}
MEASURES = {
    ("ZPO2-2", 1): {
        "en": "Associations and culture, belonging, generations together",
        "cs": "Spolky a kultura, sounáležitost, setkávání generací",
        "sk": "Spolky a kultúra, spolupatričnosť, stretávanie generácií",
    },
    ("ZPO2-2", 2): {
        "en": "Sharing experience with events",
        "cs": "Sdílení zkušeností s pořádáním akcí",
        "sk": "Zdieľanie skúseností s organizovaním podujatí",
    },
    ("ZPO2-2", 3): {
        "en": "Stable funding for culture and associations",
        "cs": "Stálá podpora kultury a spolků",
        "sk": "Stála podpora kultúry a spolkov",
    },
    ("ZPO2-2", 4): {
        "en": "Women and men, young and old, healthy and disabled",
        "cs": "Ženy a muži, mladí a staří, lidé s postižením a bez něj",
        "sk": "Ženy a muži, mladí a starí, ľudia so zdravotným postihnutím a bez neho",
    },
    ("ZPO2-2", 5): {
        "en": "Planning together with associations and companies",
        "cs": "Společné plánování se spolky, organizacemi a firmami",
        "sk": "Spoločné plánovanie so spolkami, organizáciami a firmami",
    },
    ("ZPO2-2", 6): {
        "en": "Participatory budgets and social networks",
        "cs": "Participativní rozpočet a sociální sítě",
        "sk": "Participatívny rozpočet a sociálne siete",
    },
    ("ZPO2-2", 7): {
        "en": "Membership in the network of Healthy Cities",
        "cs": "Členství v síti Zdravých měst",
        "sk": "Členstvo v sieti Zdravých miest",
    },
    ("ZPO2-2", 8): {"en": "Local Agenda 21", "cs": "Místní Agenda 21", "sk": "Miestna Agenda 21"},
    ("ZPO2-3", 1): {
        "en": "A competitive, resource-efficient economy",
        "cs": "Konkurenceschopné hospodářství šetrné ke zdrojům",
        "sk": "Konkurencieschopné hospodárstvo šetrné k zdrojom",
    },
    ("ZPO2-3", 2): {
        "en": "Projects assessed by the EU taxonomy",
        "cs": "Projekty posouzené podle taxonomie EU",
        "sk": "Projekty posúdené podľa taxonómie EÚ",
    },
    ("ZPO2-3", 3): {
        "en": "Growth decoupled from the use of resources",
        "cs": "Růst oddělený od spotřeby zdrojů",
        "sk": "Rast oddelený od spotreby zdrojov",
    },
    ("ZPO2-3", 4): {
        "en": "Innovative local business",
        "cs": "Inovativní místní podnikání",
        "sk": "Inovatívne miestne podnikanie",
    },
    ("ZPO2-3", 5): {
        "en": "Green investment and climate neutrality",
        "cs": "Zelené investice a klimatická neutralita",
        "sk": "Zelené investície a klimatická neutralita",
    },
    ("ZPO2-3", 6): {
        "en": "Information technology for regional products",
        "cs": "Informační technologie pro regionální produkty",
        "sk": "Informačné technológie pre regionálne produkty",
    },
    ("ZPO3-1", 1): {"en": "Unions of municipalities", "cs": "Svazky obcí", "sk": "Zväzky obcí"},
    ("ZPO3-1", 2): {
        "en": "Good practice in cooperation",
        "cs": "Dobrá praxe ve spolupráci",
        "sk": "Dobrá prax v spolupráci",
    },
    ("ZPO3-1", 3): {
        "en": "Integrated territorial investment",
        "cs": "Integrované územní investice",
        "sk": "Integrované územné investície",
    },
    ("ZPO3-1", 4): {"en": "Fast networks everywhere", "cs": "Rychlé sítě všude", "sk": "Rýchle siete všade"},
}
"""Titles of measures by language, by objective and number."""
