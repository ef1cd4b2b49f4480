"""Pure value -> component: nothing here reads a store, a setting or the time by itself."""
