"""What a run found, as a page to look at and for GitHub; imported only where somebody asks for it."""
