"""The actions of the dashboard by what they are about; the registry puts them together."""
