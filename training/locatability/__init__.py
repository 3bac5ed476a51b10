"""Make class weights of locatability from what players of geography games tell each other."""
