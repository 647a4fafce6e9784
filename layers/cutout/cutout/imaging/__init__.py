"""The image pipeline: encoded image in, encoded cutout out. It knows neither AWS nor HTTP.

``spec`` holds the values that describe a cutout, ``pipeline`` the order of the steps; the steps themselves are in
``codecs`` (bytes to arrays and back), ``models`` (inference), ``matting`` (alpha and foreground colours) and
``compositing`` (the canvas and what lies on it).
"""
