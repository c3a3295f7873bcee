"""A patient's own bones: surface files read and checked, landmarks found on them."""

from spineviz.patient.given import GivenBone, GivenLandmark, given_bone
from spineviz.patient.landmarks import find_landmarks
from spineviz.patient.mesh_file import read_mesh
from spineviz.patient.morphometry import measures_of

__all__ = ["GivenBone", "GivenLandmark", "find_landmarks", "given_bone", "measures_of", "read_mesh"]
