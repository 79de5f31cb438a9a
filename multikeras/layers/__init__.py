"""Layers: the building blocks of models."""

from multikeras.layers.activation.relu import LeakyReLU as LeakyReLU
from multikeras.layers.activation.relu import ReLU as ReLU
from multikeras.layers.activation.softmax import Softmax as Softmax
from multikeras.layers.attention.attention import AdditiveAttention as AdditiveAttention
from multikeras.layers.attention.attention import Attention as Attention
from multikeras.layers.attention.group_query_attention import (
    GroupQueryAttention as GroupQueryAttention,
)
from multikeras.layers.attention.multi_head_attention import (
    MultiHeadAttention as MultiHeadAttention,
)
from multikeras.layers.convolution.conv1d import Conv1D as Conv1D
from multikeras.layers.convolution.conv1d import Convolution1D as Convolution1D
from multikeras.layers.convolution.conv2d import Conv2D as Conv2D
from multikeras.layers.convolution.conv2d import Convolution2D as Convolution2D
from multikeras.layers.convolution.depthwise_conv2d import DepthwiseConv2D as DepthwiseConv2D
from multikeras.layers.core.activation import Activation as Activation
from multikeras.layers.core.dense import Dense as Dense
from multikeras.layers.core.einsum_dense import EinsumDense as EinsumDense
from multikeras.layers.core.embedding import Embedding as Embedding
from multikeras.layers.core.identity import Identity as Identity
from multikeras.layers.core.input_layer import Input as Input
from multikeras.layers.core.input_layer import InputLayer as InputLayer
from multikeras.layers.core.lambda_layer import Lambda as Lambda
from multikeras.layers.core.masking import Masking as Masking
from multikeras.layers.core.wrapper import Wrapper as Wrapper
from multikeras.layers.input_spec import InputSpec as InputSpec
from multikeras.layers.layer import Layer as Layer
from multikeras.layers.merging.arithmetic import Add as Add
from multikeras.layers.merging.arithmetic import Multiply as Multiply
from multikeras.layers.merging.arithmetic import add as add
from multikeras.layers.merging.arithmetic import multiply as multiply
from multikeras.layers.merging.concatenate import Concatenate as Concatenate
from multikeras.layers.merging.concatenate import concatenate as concatenate
from multikeras.layers.normalization.batch_normalization import (
    BatchNormalization as BatchNormalization,
)
from multikeras.layers.normalization.layer_normalization import (
    LayerNormalization as LayerNormalization,
)
from multikeras.layers.normalization.rms_normalization import RMSNormalization as RMSNormalization
from multikeras.layers.pooling.average_pooling import AveragePooling1D as AveragePooling1D
from multikeras.layers.pooling.average_pooling import AveragePooling2D as AveragePooling2D
from multikeras.layers.pooling.average_pooling import AvgPool1D as AvgPool1D
from multikeras.layers.pooling.average_pooling import AvgPool2D as AvgPool2D
from multikeras.layers.pooling.global_average_pooling import (
    GlobalAveragePooling1D as GlobalAveragePooling1D,
)
from multikeras.layers.pooling.global_average_pooling import (
    GlobalAveragePooling2D as GlobalAveragePooling2D,
)
from multikeras.layers.pooling.global_average_pooling import GlobalAvgPool1D as GlobalAvgPool1D
from multikeras.layers.pooling.global_average_pooling import GlobalAvgPool2D as GlobalAvgPool2D
from multikeras.layers.pooling.global_max_pooling import GlobalMaxPool1D as GlobalMaxPool1D
from multikeras.layers.pooling.global_max_pooling import GlobalMaxPool2D as GlobalMaxPool2D
from multikeras.layers.pooling.global_max_pooling import GlobalMaxPooling1D as GlobalMaxPooling1D
from multikeras.layers.pooling.global_max_pooling import GlobalMaxPooling2D as GlobalMaxPooling2D
from multikeras.layers.pooling.max_pooling import MaxPool1D as MaxPool1D
from multikeras.layers.pooling.max_pooling import MaxPool2D as MaxPool2D
from multikeras.layers.pooling.max_pooling import MaxPooling1D as MaxPooling1D
from multikeras.layers.pooling.max_pooling import MaxPooling2D as MaxPooling2D
from multikeras.layers.preprocessing.rescaling import Rescaling as Rescaling
from multikeras.layers.recurrent.bidirectional import Bidirectional as Bidirectional
from multikeras.layers.recurrent.gru import GRU as GRU
from multikeras.layers.recurrent.gru import GRUCell as GRUCell
from multikeras.layers.recurrent.lstm import LSTM as LSTM
from multikeras.layers.recurrent.lstm import LSTMCell as LSTMCell
from multikeras.layers.recurrent.rnn import RNN as RNN
from multikeras.layers.recurrent.simple_rnn import SimpleRNN as SimpleRNN
from multikeras.layers.recurrent.simple_rnn import SimpleRNNCell as SimpleRNNCell
from multikeras.layers.recurrent.stacked_rnn_cells import StackedRNNCells as StackedRNNCells
from multikeras.layers.recurrent.time_distributed import TimeDistributed as TimeDistributed
from multikeras.layers.regularization.dropout import Dropout as Dropout
from multikeras.layers.reshaping.cropping import Cropping1D as Cropping1D
from multikeras.layers.reshaping.cropping import Cropping2D as Cropping2D
from multikeras.layers.reshaping.cropping import Cropping3D as Cropping3D
from multikeras.layers.reshaping.flatten import Flatten as Flatten
from multikeras.layers.reshaping.permute import Permute as Permute
from multikeras.layers.reshaping.repeat_vector import RepeatVector as RepeatVector
from multikeras.layers.reshaping.reshape import Reshape as Reshape
from multikeras.layers.reshaping.up_sampling import UpSampling1D as UpSampling1D
from multikeras.layers.reshaping.up_sampling import UpSampling2D as UpSampling2D
from multikeras.layers.reshaping.up_sampling import UpSampling3D as UpSampling3D
from multikeras.layers.reshaping.zero_padding import ZeroPadding1D as ZeroPadding1D
from multikeras.layers.reshaping.zero_padding import ZeroPadding2D as ZeroPadding2D
from multikeras.layers.reshaping.zero_padding import ZeroPadding3D as ZeroPadding3D
