using MLExtensions.Families.HiddenMarkov;

namespace MLExtensions.Tests.HiddenMarkov;

/// <summary>
/// Five iterations of EM from given parameters, without priors, against hmmlearn 0.3.3: <c>GaussianHMM(3, kind, n_iter=5, tol=-inf, init_params="", covars_prior=0)</c> and
/// <c>GMMHMM(2, n_mix=2, covariance_type="diag", ...)</c> on the same 60 rows in sequences of 25, 1 and 34.
/// </summary>
[TestClass]
public sealed class HmmlearnTests
{
    private static readonly Dictionary<CovarianceKind, (double[] History, double Final, double[] Start, double[] Transitions, double[] Means, double[] Covariances, double LogPath)> Expected = new()
    {
        [CovarianceKind.Spherical] = (
            [-242.75533249338838, -206.13851369308844, -198.79738571552568, -197.65521762384697, -197.59983701760044], -197.598101417566,
            [0.333333445053495, 2.42342852543525e-07, 0.666666312603653],
            [0.799571445898352, 0.200428554098329, 3.31948652826594e-12, 9.79862952360624e-08, 0.843130514829955, 0.15686938718375, 0.171516419641612, 3.34277701550081e-06, 0.828480237581373],
            [0.01685671597302, -0.337943718361778, 3.09587790667328, -1.49600702378295, 5.85418285577573, -0.51913227100744],
            [0.843321330513722, 1.20060561183221, 1.0382435046595], -198.643601855377),
        [CovarianceKind.Diagonal] = (
            [-242.75533249338838, -205.75408545596295, -194.68700843831908, -193.10372248477879, -193.0697256678049], -193.069269969323,
            [0.333333334370474, 3.69185134669549e-08, 0.666666628711013],
            [0.799458146504075, 0.200541853495882, 4.21552128898188e-14, 1.47375490391818e-08, 0.844219875409463, 0.155780109852988, 0.16943910334528, 2.25293657608429e-07, 0.830560671361062],
            [0.0118941861939951, -0.334355136938657, 3.07921558573581, -1.49448361247994, 5.85198618284869, -0.531621847077938],
            [0.640946556659919, 1.03527027239701, 0.640710951540339, 1.72037284667502, 0.615201436351131, 1.44866308743136], -193.589068698298),
        [CovarianceKind.Full] = (
            [-242.75533249338835, -204.12817110010823, -191.517493571219, -189.48424647244417, -189.44365500602456], -189.443175064463,
            [0.333333334526426, 1.51539256495702e-07, 0.666666513934318],
            [0.799923543662266, 0.200076456337734, 5.07921967565915e-16, 4.24663936557973e-10, 0.843749428410685, 0.156250571164652, 0.169190331276597, 2.43641914669373e-07, 0.830809425081488],
            [0.0123977772581549, -0.327969218773634, 3.08364866406088, -1.50306576756496, 5.85078100811273, -0.533156465300198],
            [0.635130724896604, 0.420231915005587, 0.420231915005587, 1.04009651793862, 0.625203944307831, 0.245737598228124, 0.245737598228124, 1.70174486929811, 0.615531733162497, -0.0320683637018303, -0.0320683637018296, 1.44839080839344], -189.790402417631),
        [CovarianceKind.Tied] = (
            [-242.75533249338835, -207.06994933850237, -193.90864009891936, -192.18445603644287, -192.15724442447254], -192.156883648285,
            [0.333333338871101, 1.34071233425776e-07, 0.666666527057665],
            [0.800129871064452, 0.199870128935537, 1.16708235929896e-14, 2.41391317314552e-09, 0.843337732787207, 0.15666226479888, 0.168671751561228, 3.18862717813017e-07, 0.831327929576054],
            [0.0147922384182632, -0.328481745017673, 3.08056575923474, -1.50255751613156, 5.84762679571082, -0.536870363344926],
            [0.626259666452729, 0.214375744776712, 0.214375744776712, 1.39941405177328], -192.476965579243),
    };

    public static IEnumerable<object[]> Kinds => Enum.GetValues<CovarianceKind>().SelectMany(kind => new[] { false, true }, (kind, logs) => new object[] { kind, logs });

    [TestMethod]
    [DynamicData(nameof(Kinds))]
    public void GaussianModel_IsThatOfHmmlearn(CovarianceKind kind, bool logs)
    {
        var expected = Expected[kind];
        var two = new double[,] { { 2, 0 }, { 0, 2 } };
        var initial = new HiddenMarkovParameters([0.5, 0.3, 0.2], new[,] { { 0.6, 0.3, 0.1 }, { 0.2, 0.5, 0.3 }, { 0.25, 0.25, 0.5 } }, new GaussianEmissions(new[,] { { 0.0, 0 }, { 2, -1 }, { 5, 1 } }, [two, two, two], kind));
        var model = MarkovSample.Ml.HiddenMarkovModels.Trainers.Gaussian(new GaussianHiddenMarkovEstimator.Options { InitialParameters = initial, Covariance = kind, MaximumIterations = 5, Tolerance = 0, ComputeInLogSpace = logs }).Fit(MarkovSample.Vectors());
        double[] history = [model.History.BeforeTraining!.Training["log-likelihood"], .. model.History.Epochs.Select(epoch => epoch.Training["log-likelihood"])];
        AssertNear([.. expected.History, expected.Final], history);
        AssertNear(expected.Start, model.Parameters.StartProbabilities);
        AssertNear(expected.Transitions, model.Parameters.TransitionProbabilities.Cast<double>());
        var emissions = (GaussianEmissions)model.Parameters.Emissions;
        AssertNear(expected.Means, emissions.MeanValues.ToArray());
        AssertNear(expected.Covariances, emissions.CovarianceValues.ToArray());
        Assert.AreEqual(expected.Final, model.LogLikelihood(MarkovSample.Vectors()), 1e-9);
        var (log, path) = Decode(model);
        Assert.AreEqual(expected.LogPath, log, 1e-9);
        Assert.AreEqual("000001111122222000001111122222000001111122222000001111122222", path);
    }

    /// <summary>One iteration: hmmlearn measures the covariances of mixtures around the means before, which is no EM from the second one on.</summary>
    [TestMethod]
    public void Mixture_IsThatOfHmmlearn()
    {
        var two = new double[,] { { 2, 0 }, { 0, 2 } };
        double[] before = [0, 0, 2, -1, 4, 1, 6, 0];
        var initial = new HiddenMarkovParameters([0.6, 0.4], new[,] { { 0.7, 0.3 }, { 0.4, 0.6 } }, new GaussianEmissions(new[,] { { 0.5, 0.5 }, { 0.4, 0.6 } }, new[,] { { 0.0, 0 }, { 2, -1 }, { 4, 1 }, { 6, 0 } }, [two, two, two, two], CovarianceKind.Diagonal));
        var model = MarkovSample.Ml.HiddenMarkovModels.Trainers.GaussianMixture(new GaussianMixtureHiddenMarkovEstimator.Options { InitialParameters = initial, MaximumIterations = 1, Tolerance = 0 }).Fit(MarkovSample.Vectors());
        var emissions = (GaussianEmissions)model.Parameters.Emissions;
        Assert.AreEqual(-239.52469114595215, model.History.BeforeTraining!.Training["log-likelihood"], 1e-9);
        AssertNear([0.350791416652247, 0.649208583347753], model.Parameters.StartProbabilities);
        AssertNear([0.833144310880162, 0.166855689119838, 0.259491337360961, 0.740508662639039], model.Parameters.TransitionProbabilities.Cast<double>());
        AssertNear([0.435938153092723, 0.564061846907277, 0.26286995427143, 0.73713004572857], emissions.WeightValues.ToArray());
        AssertNear([0.155087340030413, -0.405308123187674, 2.34323659313498, -1.3814991208669, 4.50913846915123, -0.111943735868399, 5.75956633651664, -0.689817560547812], emissions.MeanValues.ToArray());
        double[] covariances = [1.2452625566734, 1.29750771844917, 2.33579693574441, 1.98938996360812, 1.97743732618965, 2.68391790115931, 1.05333065986344, 1.7593844434787];
        AssertNear(covariances.Select((value, i) => value - Math.Pow(emissions.MeanValues[i] - before[i], 2)).ToArray(), emissions.CovarianceValues.ToArray());
    }

    private static (double LogProbability, string Path) Decode(HiddenMarkovTransformer model)
    {
        var (sum, text, sequence) = (0.0, "", new ObservedSequence(2));
        using var reader = model.Open(MarkovSample.Vectors());
        while (reader.Read(sequence))
        {
            var path = new int[sequence.Length];
            sum += new ViterbiDecoder(model.Parameters).Decode(sequence, path);
            text += string.Concat(path);
        }
        return (sum, text);
    }

    private static void AssertNear(double[] expected, IEnumerable<double> actual)
    {
        var found = actual.ToArray();
        Assert.HasCount(expected.Length, found);
        for (var i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], found[i], 1e-9 * Math.Max(1, Math.Abs(expected[i])), $"number {i}");
    }
}
