"""Jobs: images that are worked on after the request that brought them was answered. Knows neither AWS nor HTTP."""
