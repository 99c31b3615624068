"""States and provinces: their abbreviations and names in four languages, by country."""

from collections.abc import Mapping

STATES: Mapping[str, Mapping[str, str]] = {
    "US": {
        "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas",
        "CA": "California|Californie|Cali", "CO": "Colorado", "CT": "Connecticut",
        "DE": "Delaware", "DC": "District of Columbia|Distrito de Columbia|District de Columbia",
        "FL": "Florida|Floride", "GA": "Georgia|Géorgie", "HI": "Hawaii|Havaí", "ID": "Idaho",
        "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas", "KY": "Kentucky",
        "LA": "Louisiana|Luisiana|Louisiane", "ME": "Maine", "MD": "Maryland",
        "MA": "Massachusetts|Mass", "MI": "Michigan", "MN": "Minnesota",
        "MS": "Mississippi|Misisipi", "MO": "Missouri|Misuri", "MT": "Montana", "NE": "Nebraska",
        "NV": "Nevada", "NH": "New Hampshire|Nuevo Hampshire",
        "NJ": "New Jersey|Nueva Jersey|Nova Jersey", "NM": "New Mexico|Nuevo México|Novo México|"
        "Nouveau-Mexique", "NY": "New York|Nueva York|Nova York|Nova Iorque",
        "NC": "North Carolina|Carolina del Norte|Carolina do Norte|Caroline du Nord",
        "ND": "North Dakota|Dakota del Norte|Dakota do Norte|Dakota du Nord", "OH": "Ohio",
        "OK": "Oklahoma", "OR": "Oregon|Oregón",
        "PA": "Pennsylvania|Pensilvania|Pennsylvanie", "PR": "Puerto Rico|Porto Rico",
        "RI": "Rhode Island", "SC": "South Carolina|Carolina del Sur|Carolina do Sul|"
        "Caroline du Sud", "SD": "South Dakota|Dakota del Sur|Dakota do Sul|Dakota du Sud",
        "TN": "Tennessee", "TX": "Texas|Tejas", "UT": "Utah", "VT": "Vermont",
        "VA": "Virginia|Virginie", "WA": "Washington",
        "WV": "West Virginia|Virginia Occidental|Virgínia Ocidental|Virginie-Occidentale",
        "WI": "Wisconsin", "WY": "Wyoming",
    },
    "CA": {
        "AB": "Alberta", "BC": "British Columbia|Columbia Británica|Colúmbia Britânica|"
        "Colombie-Britannique", "MB": "Manitoba",
        "NB": "New Brunswick|Nuevo Brunswick|Novo Brunswick|Nouveau-Brunswick",
        "NL": "Newfoundland and Labrador|Newfoundland|Terranova y Labrador|Terra Nova e Labrador|"
        "Terre-Neuve-et-Labrador", "NS": "Nova Scotia|Nueva Escocia|Nova Escócia|Nouvelle-Écosse",
        "NT": "Northwest Territories|Territoires du Nord-Ouest", "NU": "Nunavut",
        "ON": "Ontario|Ontário", "PE": "Prince Edward Island|PEI|Isla del Príncipe Eduardo|"
        "Île-du-Prince-Édouard", "QC": "Québec|PQ", "SK": "Saskatchewan", "YT": "Yukon",
    },
    "BR": {
        "AC": "Acre", "AL": "Alagoas", "AP": "Amapá", "AM": "Amazonas", "BA": "Bahia",
        "CE": "Ceará", "DF": "Distrito Federal", "ES": "Espírito Santo", "GO": "Goiás",
        "MA": "Maranhão", "MT": "Mato Grosso", "MS": "Mato Grosso do Sul", "MG": "Minas Gerais",
        "PA": "Pará", "PB": "Paraíba", "PR": "Paraná", "PE": "Pernambuco", "PI": "Piauí",
        "RJ": "Rio de Janeiro", "RN": "Rio Grande do Norte", "RS": "Rio Grande do Sul",
        "RO": "Rondônia", "RR": "Roraima", "SC": "Santa Catarina", "SP": "São Paulo",
        "SE": "Sergipe", "TO": "Tocantins",
    },
    "MX": {
        "AGS": "Aguascalientes", "BC": "Baja California", "BCS": "Baja California Sur",
        "CAMP": "Campeche", "CHIS": "Chiapas", "CHIH": "Chihuahua", "CDMX": "Ciudad de México|DF",
        "COAH": "Coahuila", "COL": "Colima", "DGO": "Durango",
        "MEX": "Estado de México|Edomex|Edo Mex", "GTO": "Guanajuato", "GRO": "Guerrero",
        "HGO": "Hidalgo", "JAL": "Jalisco", "MICH": "Michoacán", "MOR": "Morelos",
        "NAY": "Nayarit", "NL": "Nuevo León", "OAX": "Oaxaca", "PUE": "Puebla",
        "QRO": "Querétaro", "QROO": "Quintana Roo", "SLP": "San Luis Potosí", "SIN": "Sinaloa",
        "SON": "Sonora", "TAB": "Tabasco", "TAMPS": "Tamaulipas", "TLAX": "Tlaxcala",
        "VER": "Veracruz", "YUC": "Yucatán", "ZAC": "Zacatecas",
    },
    "AR": {
        "CABA": "Ciudad Autónoma de Buenos Aires|Capital Federal", "PBA": "Buenos Aires",
        "CAT": "Catamarca", "CHA": "Chaco", "CHU": "Chubut", "CBA": "Córdoba",
        "CTES": "Corrientes", "ER": "Entre Ríos", "FSA": "Formosa", "JUJ": "Jujuy",
        "LP": "La Pampa", "LR": "La Rioja", "MZA": "Mendoza", "MIS": "Misiones",
        "NQN": "Neuquén", "RN": "Río Negro", "SAL": "Salta", "SJ": "San Juan", "SL": "San Luis",
        "STC": "Santa Cruz", "SF": "Santa Fe", "SDE": "Santiago del Estero",
        "TDF": "Tierra del Fuego", "TUC": "Tucumán",
    },
    "CO": {
        "AMA": "Amazonas", "ANT": "Antioquia", "ARA": "Arauca", "ATL": "Atlántico",
        "DC": "Bogotá D.C.", "BOL": "Bolívar", "BOY": "Boyacá", "CAL": "Caldas",
        "CAQ": "Caquetá", "CAS": "Casanare", "CAU": "Cauca", "CES": "Cesar", "CHO": "Chocó",
        "COR": "Córdoba", "CUN": "Cundinamarca", "GUA": "Guainía", "GUV": "Guaviare",
        "HUI": "Huila", "LAG": "La Guajira", "MAG": "Magdalena", "MET": "Meta", "NAR": "Nariño",
        "NSA": "Norte de Santander", "PUT": "Putumayo", "QUI": "Quindío", "RIS": "Risaralda",
        "SAN": "Santander", "SUC": "Sucre", "TOL": "Tolima", "VAC": "Valle del Cauca|Valle",
        "VAU": "Vaupés", "VID": "Vichada",
    },
    "CL": {
        "AP": "Arica y Parinacota", "TA": "Tarapacá", "AN": "Antofagasta", "AT": "Atacama",
        "CO": "Coquimbo", "VA": "Valparaíso", "RM": "Región Metropolitana|Metropolitana|"
        "Región Metropolitana de Santiago", "LI": "O’Higgins", "ML": "Maule", "NB": "Ñuble",
        "BI": "Biobío", "AR": "Araucanía|La Araucanía", "LR": "Los Ríos", "LL": "Los Lagos",
        "AI": "Aysén", "MA": "Magallanes",
    },
}  # fmt: skip
"""By country and abbreviation: the names separated by «|», the one in print first."""

SHORT_IN = frozenset({"US", "CA", "BR", "MX"})
"""Countries whose abbreviations of states people write; of the others only the names are read."""
