package signin

// nameAndPassword is how somebody begins to sign in.
type nameAndPassword struct {
	Name     string `json:"name"`
	Password string `json:"password"`
}

// password takes name and password. What it answers does not tell whether the
// name exists.
func (rq *request) password() (any, error) {
	var in nameAndPassword
	if err := rq.Read(&in); err != nil {
		return nil, err
	}

	what := "a password"
	if !rq.s.Local(in.Name) {
		what = "a password, with which nobody but break-glass accounts signs in (signin.local),"
	}
	err := rq.attempt(rq.s.passwords, in.Name, what, func() (bool, error) {
		return rq.checkPassword(in.Name, in.Password)
	})
	if err != nil {
		return nil, err
	}

	return rq.beginByPassword(in.Name)
}

// beginByPassword signs somebody in whose password is right: whole only where that
// is enough, and the person has no second factor.
func (rq *request) beginByPassword(person string) (sessionState, error) {
	f, err := rq.s.door.Registry.Factors(rq.Context(), person)
	if err != nil {
		return sessionState{}, err
	}
	return rq.begin(person, "password", rq.s.InsecureOneFactor && !f.Any())
}

// checkPassword bounds how many wait for the work of a hash.
func (rq *request) checkPassword(name, password string) (bool, error) {
	end, err := rq.s.door.Turn(rq.Context(), rq.Address())
	if err != nil {
		return false, err
	}
	defer end()

	ok, err := rq.s.door.Registry.CheckPassword(rq.Context(), name, password)
	return ok && rq.s.Local(name), err // after the work: how long it takes tells nothing
}
