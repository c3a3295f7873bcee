"""The light: three soft lamps and a sky, fixed to the camera, in one small fragment shader."""

from __future__ import annotations

AFTER_LIGHT = "//VTK::Light::Impl"

LIGHT = """//VTK::Light::Impl
  const vec3 alarmColour = vec3(0.70, 0.07, 0.33);
  // Lamps stand in the camera's frame: x right, y up, z towards the eye. Their strengths sum to 1.
  vec3 surfaceNormal = normalVCVSOutput;
  vec3 toEye = normalize(-vertexVC.xyz);
  vec3 keyWay = vec3(-0.46, 0.58, 0.67);
  vec3 fillWay = vec3(0.74, 0.05, 0.67);
  float keyLight = clamp((dot(surfaceNormal, keyWay) + 0.22) / 1.22, 0.0, 1.0);
  float fillLight = clamp((dot(surfaceNormal, fillWay) + 0.30) / 1.30, 0.0, 1.0);
  float skyLight = 0.5 + 0.5 * surfaceNormal.y;
  vec3 lamps = keyLight * vec3(0.600, 0.590, 0.570) + fillLight * vec3(0.185, 0.192, 0.205)
    + mix(vec3(0.135, 0.125, 0.120), vec3(0.215, 0.220, 0.230), skyLight);
  float facing = clamp(dot(surfaceNormal, toEye), 0.0, 1.0);
  float turned = (1.0 - facing) * (1.0 - facing);
  // Along the line of sight only what faces the eye is bright; walls that run with it fall into shade.
  lamps = mix(lamps, vec3(0.150, 0.148, 0.145) + facing * vec3(0.745, 0.740, 0.730), coaxial);
  vec3 own = mix(diffuseColor, alarmColour * (0.55 + 0.60 * dot(diffuseColor, vec3(0.3, 0.59, 0.11))), alarm);
  vec3 lit = own * lamps * (1.21 * (1.0 - edgeShade * turned));
  float glare = dot(surfaceNormal, normalize(mix(keyWay, toEye, coaxial) + toEye));
  float shine = (1.0 - 0.5 * coaxial) * pow(clamp(glare, 0.0, 1.0), polish);
  float sheen = clamp(dot(surfaceNormal, normalize(fillWay + toEye)), 0.0, 1.0);
  sheen *= sheen;
  sheen *= sheen;
  sheen *= sheen;
  float open = smoothstep(0.05, 0.5, max(own.r, max(own.g, own.b)));
  lit += gloss * open * (shine * vec3(0.90, 0.92, 0.95) + sheen * vec3(0.13, 0.14, 0.16));
  lit = mix(lit, own * 1.04, glow);
  if (gl_FrontFacing == false) { lit = mix(lit, cutColour * (0.86 + 0.14 * skyLight), cutFace); }
  float brightest = max(lit.r, max(lit.g, lit.b));
  float over = max(brightest - 0.82, 0.0);
  vec3 hue = lit * ((min(brightest, 0.82) + 0.18 * over / (over + 0.18)) / max(brightest, 0.001));
  vec3 each = max(lit - 0.82, 0.0);
  lit = mix(min(lit, 0.82) + 0.18 * each / (each + 0.18), hue, 0.55);
  // What is seen through is glass: clear where it faces the eye, denser where it turns away.
  float glass = opacity * (0.50 + 0.75 * turned);
  fragOutput0 = vec4(lit, mix(glass, opacity, smoothstep(0.55, 1.0, opacity)));
"""
"""Replaces VTK's own light; what would burn out is rolled off from 0.82 on, keeping half its hue.

``glow`` strengthens a highlighted structure's own colour; with ``cutFace`` 1 the inside of a closed
surface that a plane has opened is painted flat like a cut. ``alarm`` turns the colour into that of disease,
the lighter places lighter. ``coaxial`` 0..1 is the share of the light that falls along the line of sight.
"""
