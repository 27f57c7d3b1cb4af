"""Who needs to see an eye doctor?

Photographs of the retina (IDRiD, graded 0 to 4 for diabetic retinopathy and 0 to 2 for the risk of macular oedema) are prepared, judged
for quality, graded with a promise of coverage, and handed to a person where the grade is not sure. The question behind it is whether such
a grader holds on photographs of a camera that it never saw. For research and education; not a medical device.
"""
