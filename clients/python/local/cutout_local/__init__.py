"""The default model of Cutout and the manifest of models, in the folder ``models`` beside this file."""
