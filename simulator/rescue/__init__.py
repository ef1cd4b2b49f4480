"""Those who push as it happens: the fire brigade's calls and the ambulances of PSC 119."""
