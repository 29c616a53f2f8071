"""Other words for kinds, fields and values, as data sets use them; read by declarations.py."""

ALIASES = {
    "int": "integer", "whole": "integer", "fraction": "rational", "exact": "rational",
    "float": "decimal", "real": "decimal", "number": "decimal", "numeric": "decimal",
    "expr": "expression", "formula": "expression", "symbolic": "expression", "poly": "polynomial",
    "bool": "truth", "boolean": "truth", "truth_value": "truth", "option": "choice",
    "options": "choice", "multiple_choice": "choice", "mcq": "choice", "string": "text",
    "str": "text", "word": "text", "list": "tuple", "vector": "tuple", "point": "tuple",
    "ordered": "tuple", "bag": "multiset", "unordered": "multiset", "range": "interval",
    "intervals": "interval", "inequality": "solution_set", "solutions": "solution_set",
    "solution": "solution_set", "relation": "equation", "array": "matrix", "json_schema": "json",
    "percent": "percentage", "quantity": "decimal", "measurement": "decimal",
    "system": "solution_set", "whole_number": "integer", "natural": "integer",
    "rational_number": "rational", "math": "expression", "algebraic_expression": "expression",
    "equality": "equation", "equation_solution": "solution_set", "roots": "solution_set",
    "equation_solution_set": "solution_set", "inequality_solution": "solution_set",
    "inequality_solution_set": "solution_set", "pair": "tuple", "ordered_pair": "tuple",
    "sequence": "tuple", "coordinates": "tuple", "finite_set": "set", "interval_union": "interval",
    "union_of_intervals": "interval", "true_false": "truth", "yes_no": "truth", "mc": "choice",
    "letter": "choice", "free_text": "text", "object": "json",
}  # fmt: skip
"""Other words for the kinds."""
SAME_FIELDS = {
    "abs_tol": "absolute", "atol": "absolute", "tolerance": "absolute", "tol": "absolute",
    "eps": "absolute", "epsilon": "absolute", "abs_error": "absolute", "margin": "absolute",
    "absolute_error": "absolute", "rel_error": "relative", "relative_error": "relative",
    "absolute_tolerance": "absolute", "abs_tolerance": "absolute", "abs": "absolute",
    "rel_tol": "relative", "rtol": "relative", "relative_tolerance": "relative",
    "rel_tolerance": "relative", "rel": "relative", "decimals": "places",
    "decimal_places": "places", "significant_figures": "figures", "sig_figs": "figures",
    "sigfigs": "figures", "significant_digits": "figures", "assumptions": "domain", "units": "unit",
    "variable": "variables", "vars": "variables", "normalizer": "normaliser",
    "normalise": "normaliser", "normalize": "normaliser", "normalization": "normaliser",
    "normalisation": "normaliser", "case_insensitive": "ignore_case", "choices": "options",
    "labels": "options", "elements": "element", "element_kind": "element", "of": "element",
}  # fmt: skip
"""Other words for the fields."""
NORMALISERS: dict[str, dict[str, str | bool]] = {
    "case": {"case": "ignore"}, "casefold": {"case": "ignore"}, "lower": {"case": "ignore"},
    "lowercase": {"case": "ignore"}, "whitespace": {"whitespace": "collapse"},
    "strip": {"whitespace": "collapse"}, "collapse_whitespace": {"whitespace": "collapse"},
    "remove_whitespace": {"whitespace": "remove"}, "punctuation": {"punctuation": "ignore_final"},
    "ignore_case": {"case": "ignore"}, "case_insensitive": {"case": "ignore"},
    "trim": {"whitespace": "collapse"}, "remove_punctuation": {"punctuation": "ignore"},
    "latex": {"latex": True}, "exact": {}, "none": {}, "nfc": {},
}  # fmt: skip
"""Shorthands for the fields of text, one or a list of them under "normaliser"."""
PERCENT = {
    False: "refuse", True: "same_number", "ignore": "same_number", "strip": "same_number",
    "allow": "same_number", "fraction": "as_fraction", "convert": "as_fraction",
}  # fmt: skip
"""Other words for what a percent sign means; that it is allowed says that it changes nothing."""
