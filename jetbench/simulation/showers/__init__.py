"""Electrons and photons in a barrel of crystals, by published parametrisations: from the origin through the tracker's
material and its magnetic field into the calorimeter, and on to a 32x32 image of energy and time.

What it is: a fast simulation after the CMS detector. Photons convert and electrons radiate in sixteen cylinders of tracker
material (`tracker`, `interactions`), charged particles follow helices in 3.8 T, and every particle that arrives makes a
shower of PbWO4 drawn from Grindhammer and Peters' parametrisation with its shower-to-shower fluctuations (`profiles`),
whose energy spots fall into crystals (`crystals`) that answer with noise, resolution, a threshold and a time (`readout`).
A photon and an electron of one pT differ in nothing but what these processes make of them.

What it is not: there is no Geant4 and no CMS software behind it. The material is smooth in eta and phi, all particles start
at the origin, crystals point there without their tilt of 3 degrees, and there are no gaps between modules. Conversion and
radiation have their cross sections at high energy; below about 1 GeV the parametrisation of showers is extrapolated. Left out
are multiple scattering, the energy loss of electrons by ionisation, opening angles of pairs and of radiation, loopers (their
energy is lost), albedo, hadrons, what leaks out behind the crystals, pulse shapes, dead channels and pile-up. Numbers measured
on these images are not numbers of CMS.
"""
